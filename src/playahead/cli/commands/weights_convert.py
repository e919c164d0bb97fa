"""``playahead weights convert``."""

from pathlib import Path

from playahead.backbone.checkpoint import read_published, save_backbone
from playahead.cli import terminal


def convert(checkpoint: Path, out: Path = Path("backbone.safetensors")) -> None:
    """A published spotting checkpoint (.pth) -> safetensors with where it comes from.

    Args:
        checkpoint: a 15-frame model of lRomul/ball-action-spotting; opened without running anything in it.
        out: file to write.
    """
    backbone, provenance = read_published(checkpoint)
    save_backbone(out, backbone, provenance)
    terminal.notice(str(provenance["notice"]))
    terminal.out().print(f"{out}: {backbone.config.feature_dim:,} features a snippet, from {provenance['source']}")
