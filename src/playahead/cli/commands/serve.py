"""``playahead serve``."""

from playahead.cli import terminal
from playahead.live.server.config import ServeConfig


def serve(config: ServeConfig) -> None:
    """Anticipate over HTTP: sessions on running matches, and single questions; /docs describes it.

    Args:
        config: models, address and limits.
    """
    from playahead.live.server.run import make_server

    ready = lambda address: terminal.notice(f"{address}/docs describes what is served; Ctrl-C ends it")  # noqa: E731
    make_server(config, ready).run()
