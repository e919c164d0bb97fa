"""Errors that a person sees: what is wrong, where, and what to do about it.

    PlayaheadError
    ├── RecordError          a record was given a value that it refuses (also a ValueError)
    ├── InputError           a file, a setting or an argument cannot be used
    └── NonFiniteLossError   training met a loss that is NaN or infinite

The command line shows any of them as one line, with exit code 2.
"""

import copyreg


class PlayaheadError(Exception):
    """Base of every error that the package raises on purpose."""


class RecordError(PlayaheadError, ValueError):
    """A record (event, clip, anticipation) was given a value that it refuses."""


class InputError(PlayaheadError):
    """A file or argument from outside cannot be used.

    Args:
        where: the file, with the entry in it if there is one (``Labels-ball.json: clip_3, anticipation 2``); the field,
            as ``PredictConfig.every_s``; or the argument's name.
        what: description of what is wrong.
        fix: advice to the reader.
    """

    def __init__(self, where: object, what: object, fix: str = "") -> None:
        self.where, self.what, self.fix = str(where), str(what), fix
        super().__init__(f"{where}: {what}" + (f" ({fix})" if fix else ""))

    def __reduce__(self) -> tuple:
        """Travel from one process to another as it is."""
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[missing-attribute]


class NonFiniteLossError(PlayaheadError):
    """Training met a loss that is NaN or infinite; the batch is named."""


class VideoWarning(UserWarning):
    """Part of a video could not be used; the message says which, and what was done instead."""
