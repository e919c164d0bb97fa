"""``playahead serve``."""

from playahead.cli import terminal
from playahead.errors import InputError
from playahead.server.config import ServeConfig


def serve(config: ServeConfig) -> None:
    """Anticipate over HTTP: sessions on running matches, and single questions; /docs describes it.

    Args:
        config: how to serve.
    """
    try:
        from playahead.server.run import make_server
    except ModuleNotFoundError as missing:
        raise InputError("serve", f"needs {missing.name}", "pip install 'playahead[serve,video]'") from None
    server = make_server(config)
    terminal.notice(f"http://{config.host}:{config.port}/docs describes what is served; Ctrl-C ends it")
    server.run()
