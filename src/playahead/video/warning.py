"""What a reader of videos warns of; it needs no video library to be known."""


class VideoWarning(UserWarning):
    """Part of a video could not be used; the message says which, and what was done instead."""
