"""Models that the server answers with, each opened when it is first needed and shared by all sessions."""

import threading

from playahead.features.feed import FEED_FEATURES
from playahead.inference.predictor import Predictor
from playahead.inference.video import VideoModel
from playahead.live.server.config import ServeConfig


class Models:
    """The feed's model at once, the video's on demand.

    Args:
        config: which weights.

    Raises:
        InputError: the feed's weights cannot be read.
    """

    def __init__(self, config: ServeConfig) -> None:
        self._config, self._lock = config, threading.Lock()
        self.feed = Predictor.open(config.weights, FEED_FEATURES, config.device)
        self._video: VideoModel | None = None

    @property
    def video(self) -> VideoModel:
        """The backbone and its anticipator.

        Raises:
            InputError: they cannot be read.
        """
        with self._lock:
            if self._video is None:
                config = self._config
                self._video = VideoModel.open(config.video_weights, config.backbone, config.device)
            return self._video
