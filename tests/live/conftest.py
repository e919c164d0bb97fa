"""Fixtures of several test modules."""

from tests.support.browser import new_page  # noqa: F401
from tests.support.small_video import backbone, backbone_file, frames, made, model, video  # noqa: F401
