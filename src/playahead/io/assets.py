"""What ships with the package besides code: weights and grids."""

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def packaged_weights(name: str = "feed") -> Path:
    """``feed`` (real matches), ``simulated-video`` or ``simulated-backbone`` (simulated broadcasts)."""
    return _PACKAGE / "weights" / f"{name}.safetensors"


def shipped_grids() -> dict[str, Path]:
    """Grids for ``compare``, by name."""
    return {path.stem: path for path in sorted((_PACKAGE / "grids").glob("*.yaml"))}
