"""What the docs site does otherwise than GitHub (a hook of mkdocs.yml): links into src/ stand outside of the site."""

import re

_LINK = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(src/[^)]+)\)")


def on_page_markdown(markdown: str, page: object, config: dict, files: object) -> str:
    """Links into src/ lead to the repository, or are text where mkdocs.yml names none."""
    del page, files
    address = (config.get("repo_url") or "").rstrip("/")
    return _LINK.sub(rf"[\1]({address}/blob/main/\2)" if address else r"\1", markdown)
