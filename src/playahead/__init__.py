"""Watch 30 s of football, say what happens in the next 5.

Everything that the command line does is a function here. They print nothing; long ones report through a callback
(``show``, see ``playahead.io.progress``). Files and arguments that cannot be used raise ``InputError``.

The public names are listed in ``__init__.pyi``. Each is imported when it is first used.
"""

from typing import Any

import lazy_loader

_getattr, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    try:
        return _getattr(name)
    except ModuleNotFoundError as missing:
        from playahead.io.extras import in_one_line

        if (line := in_one_line(missing)) is None:
            raise
        raise ModuleNotFoundError(f"playahead.{name} {line}", name=missing.name) from None
