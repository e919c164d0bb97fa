"""Sizes and weights of the paper's model.

Marks, as in docs/paper.md: P, stated by the paper; L, printed in the paper but lost in our text; C, our choice.
"""

from dataclasses import dataclass
from math import inf

from playahead.domain.grid import GRID


def require(config: object, names: str, is_valid: bool, rule: str) -> None:
    """Raise ``ValueError`` if fields of a configuration (``names``, separated by spaces) do not follow a rule."""
    if not is_valid:
        values = ", ".join(str(getattr(config, name)) for name in names.split())
        raise ValueError(f"{type(config).__name__}.{names.replace(' ', ', ')}: {values} is not {rule}")


def require_range(config: object, names: str, low: float, below: float, rule: str) -> None:
    """Raise ``ValueError`` unless low <= value < below for each of the fields ``names``."""
    for name in names.split():
        require(config, name, low <= getattr(config, name) < below, rule)


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Sizes of the model.

    Attributes:
        feature_dim: F, length of a snippet's feature vector (P: 1280 from video).
        n_windows: W, windows that an example observes (P: 6; fewer are an ablation; 1.1 g).
        n_snippets: N, snippets in a window (P: 33; 1.1 f).
        d_model: D (P: 256).
        heads: attention heads (L: 8; 1.2 d, 1.3 f).
        ffn_dim: hidden width of the feed-forward blocks (L: 1024).
        dropout: dropout rate on residual branches and attention weights (C: 0.1).
        drop_path: rate at which a sample skips a residual branch of the encoder (P: 0.1).
        encoder_layers: layers of the local Transformer (P: 2).
        summaries: S, summary vectors of a window (L: 4; 1.2 f).
        decoder_layers: layers of the slot decoder (P: 4).
        slots: K (L: 16; 1.3 d).
        bins: T, offset bins of the 5 s (L: 20; 1.3 h).
        conditioned: alpha of Eq. (1) is 1 (P); if False it is 0, the paper's ablation with static queries.
    """

    feature_dim: int
    n_windows: int = GRID.n_windows
    n_snippets: int = GRID.n_snippets
    d_model: int = 256
    heads: int = 8
    ffn_dim: int = 1024
    dropout: float = 0.1
    drop_path: float = 0.1
    encoder_layers: int = 2
    summaries: int = 4
    decoder_layers: int = 4
    slots: int = 16
    bins: int = 20
    conditioned: bool = True

    def __post_init__(self) -> None:
        sizes = "feature_dim n_windows n_snippets d_model heads ffn_dim summaries slots bins"
        require_range(self, sizes, 1, inf, "1 or more")
        require_range(self, "encoder_layers decoder_layers", 1, 65, "in 1..64")
        require_range(self, "dropout drop_path", 0, 1, "in [0, 1)")
        require(self, "n_windows", self.n_windows <= GRID.n_windows, f"{GRID.n_windows} or fewer")
        require(self, "heads", self.d_model % self.heads == 0, f"a divisor of d_model {self.d_model}")
        require(self, "summaries", self.summaries <= self.n_snippets, f"at most {self.n_snippets}, one per snippet")


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Weights and shapes of the losses (1.4).

    Attributes:
        offset_weight: lambda_off of Eq. (5) (L: 1; 1.4 d).
        positive_weight: weight of a matched slot's objectness loss (L: 5; 1 keeps objectness a probability; 1.4 h).
        label_smoothing: smoothing of the class target (L: 0.1).
        sigma_bins: sigma of Eq. (6), in bins (L: 1; 1.4 j); 0 gives one-hot targets.
        presence_weight: weight of the observation head's loss (L: 0.3; 1.4 l).
        focal_gamma: gamma of that loss's focal factor (C: 2).
    """

    offset_weight: float = 1.0
    positive_weight: float = 5.0
    label_smoothing: float = 0.1
    sigma_bins: float = 1.0
    presence_weight: float = 0.3
    focal_gamma: float = 2.0

    def __post_init__(self) -> None:
        require_range(self, "offset_weight sigma_bins presence_weight", 0, inf, "a number of 0 or more")
        require(self, "positive_weight", 0 < self.positive_weight < inf, "a number above 0")
        require_range(self, "label_smoothing", 0, 1, "in [0, 1)")
        # Below 1 the focal factor's gradient is unbounded.
        require_range(self, "focal_gamma", 1, inf, "a number of 1 or more")


@dataclass(frozen=True, kw_only=True)
class ScheduleConfig:
    """AdamW and its learning rate.

    Attributes:
        lr: peak learning rate (L: 2e-4; 1.4 r).
        weight_decay: decay of matrices; vectors and biases have none (L: 1e-2).
        warmup_epochs: epochs of linear warm-up from 0 (P: 5).
        restart_epochs: T_0, length of the first cosine cycle (L: 10); None is one cycle to the run's end.
        restart_factor: T_mult, ratio of a cycle's length to the previous one's (L: 2).
        clip_norm: largest norm of the gradients, which are scaled down to it (L: 1).
        betas: betas of AdamW (C: its defaults; 1.4 u).
    """

    lr: float = 2e-4
    weight_decay: float = 1e-2
    warmup_epochs: float = 5.0
    restart_epochs: float | None = 10.0
    restart_factor: int = 2
    clip_norm: float = 1.0
    betas: tuple[float, float] = (0.9, 0.999)

    def __post_init__(self) -> None:
        require_range(self, "lr weight_decay warmup_epochs", 0, inf, "a number of 0 or more")
        finite = self.restart_epochs is None or 0 < self.restart_epochs < inf
        require(self, "restart_epochs", finite, "a number above 0")
        require_range(self, "restart_factor", 1, inf, "1 or more")
        require(self, "clip_norm", self.clip_norm > 0, "above 0")
        require(self, "betas", all(0 <= beta < 1 for beta in self.betas), "in [0, 1)")
