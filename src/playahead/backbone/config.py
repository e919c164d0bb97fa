"""What the backbone is made of."""

from dataclasses import dataclass

from playahead.io.errors import InputError

_MOST_BLOCKS = 64


@dataclass(frozen=True, kw_only=True)
class BackboneConfig:
    """Sizes of the slow-fusion network. Defaults are the published checkpoint's.

    Attributes:
        encoder: timm's name of the 2D encoder.
        stage: of the encoder whose maps are used, 1/2^(stage + 1) of the input size; a smaller input needs a finer one.
        stacks: stacks in a snippet.
        stack_frames: gray frames in a stack.
        maps: channels of a stack's maps after the 2D projection.
        blocks_3d: inverted-residual 3D blocks.
        expansion: of those blocks.
        squeeze: reduction of their squeeze-and-excitation.
        projection: features of a stack; a snippet has ``stacks`` times as many.
        classes: of the spotting classifier, which features do not pass through.
    """

    encoder: str = "tf_efficientnetv2_b0"
    stage: int = 4
    stacks: int = 5
    stack_frames: int = 3
    maps: int = 192
    blocks_3d: int = 4
    expansion: int = 3
    squeeze: int = 24
    projection: int = 256
    classes: int = 2

    def __post_init__(self) -> None:
        for name in ("stacks", "stack_frames", "maps", "blocks_3d", "expansion", "squeeze", "projection", "classes"):
            if getattr(self, name) < 1:
                raise InputError(f"backbone.{name}", f"{getattr(self, name)} is below 1")
        if self.blocks_3d > _MOST_BLOCKS:
            raise InputError("backbone.blocks_3d", f"{self.blocks_3d} is over {_MOST_BLOCKS}")
        if not 0 <= self.stage <= 4:
            raise InputError("backbone.stage", f"{self.stage} is not in 0..4")

    @property
    def feature_dim(self) -> int:
        """F of a snippet: 5 x 256 = 1280."""
        return self.stacks * self.projection
