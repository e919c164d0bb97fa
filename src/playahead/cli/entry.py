"""The entry point of the command: an overview at once, for which no library need be imported."""

import sys


def main() -> None:
    """Run ``playahead.cli.main``, unless only the overview is wanted."""
    if sys.argv[1:] in (["--help"], ["-h"]) and sys.stdout is not None:
        from playahead.cli.registry import overview

        try:
            sys.stdout.write(overview())
            sys.stdout.flush()
        except OSError:  # the other entry reports it, in one line
            pass
        else:
            return
    from playahead.cli.main import main as run

    run()
