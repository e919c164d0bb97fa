"""Fixtures of several test modules."""

from tests.support.small_video import backbone, backbone_file, frames, made, model, video  # noqa: F401
