"""What the docs site does otherwise than GitHub (a hook of mkdocs.yml): it holds docs/ alone, not the code."""

import re

_LINK = re.compile(r"\[([^\]]+)\]\((?:\.\./)+((?:src|tests|examples)/[^)]+)\)")


def on_page_markdown(markdown: str, page: object, config: dict, files: object) -> str:
    """Links to code lead to the repository, or are text where mkdocs.yml names none (``repo_url``)."""
    del page, files
    address = (config.get("repo_url") or "").rstrip("/")
    return _LINK.sub(rf"[\1]({address}/blob/main/\2)" if address else r"\1", markdown)


def on_post_page(output: str, page: object, config: dict) -> str:
    """The theme's search has no name for screen readers."""
    del page, config
    return output.replace(
        'data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"'
    )
