"""What an anticipator is made of.

Values are marked as in docs/paper.md: P stated by the paper; L printed by it, but not in the text we had; C ours.
"""

from dataclasses import dataclass
from typing import Literal

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import GRID
from playahead.io.errors import InputError
from playahead.io.settings import check_choices

Encoder = Literal["windows", "steps"]
Memory = Literal["gru", "mean", "last"]
Head = Literal["slots", "dense"]
TimeHead = Literal["bins", "regression"]
Auxiliary = Literal["off", "last", "all"]
_MOST_LAYERS = 64


@dataclass(frozen=True, kw_only=True)
class AnticipatorConfig:
    """Sizes and switches of the model. Defaults are the paper's, or our choice where it states none.

    Attributes:
        feature_dim: F, length of a snippet's (or step's) feature vector.
        n_windows: W, windows that are looked at: the last ones of an observation's six (P: all of them).
        n_snippets: N, snippets (or steps) in a window.
        d_model: D (P: 256).
        heads: attention heads (L: 8).
        ffn_dim: hidden width of the feed-forward blocks (L: 1024).
        dropout: on every residual branch and on attention weights (C: 0.1).
        drop_path: stochastic depth on every residual branch of the encoder (P: 0.1).
        encoder: "windows" (P: each window on its own), or "steps": every step of the observation in one row, each
            seeing its 15 neighbours (FAANTRA); then the steps are the memory, and ``memory`` has no say.
        encoder_layers: layers of the encoder (P: 2).
        summaries: S, summary vectors of a window (L: 4).
        memory: a GRU over the summaries (P), or as ablations the summaries as they are ("mean" is the context then),
            or the last window's alone.
        window_importance: one learned weight per window (P); False is an ablation.
        importance_on: the summaries that go into the GRU, or what comes out of it (the paper says neither).
        memory_tail: the decoder also sees the last window's own tokens, at full rate (C; False is the paper).
        decoder_layers: (P: 4).
        slots: K (L: 16).
        bins: T, offset bins of the 5-s window (L: 20).
        conditioned: input-conditioned slot queries, Eq. (1); False is the paper's static-query ablation.
        slot_time: "bins" (P), or "regression": one number per slot, exp(.) of the window (FAANTRA), which stands
            for a Gaussian of one bin's width.
        head: "slots" (the paper) or "dense": 32 frames x 10 classes on the same encoder and decoder.
        auxiliary: the observation head on the last window (P), on all windows, or off.
        classes: names of the classes that its training data annotates: no other is ever predicted; all if empty.
    """

    feature_dim: int
    n_windows: int = GRID.n_windows
    n_snippets: int = GRID.n_snippets
    d_model: int = 256
    heads: int = 8
    ffn_dim: int = 1024
    dropout: float = 0.1
    drop_path: float = 0.1
    encoder: Encoder = "windows"
    encoder_layers: int = 2
    summaries: int = 4
    memory: Memory = "gru"
    window_importance: bool = True
    importance_on: Literal["inputs", "outputs"] = "inputs"
    memory_tail: bool = False
    decoder_layers: int = 4
    slots: int = 16
    bins: int = 20
    conditioned: bool = True
    slot_time: TimeHead = "bins"
    head: Head = "slots"
    auxiliary: Auxiliary = "last"
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_choices(self, "model")
        sizes = ("feature_dim", "n_windows", "n_snippets", "d_model", "heads", "ffn_dim", "summaries")
        for name in (*sizes, "encoder_layers", "decoder_layers", "slots", "bins"):
            if getattr(self, name) < 1:
                raise InputError(f"model.{name}", f"{getattr(self, name)} is below 1")
        for name in ("encoder_layers", "decoder_layers"):
            if getattr(self, name) > _MOST_LAYERS:
                raise InputError(f"model.{name}", f"{getattr(self, name)} is over {_MOST_LAYERS}")
        for name in ("dropout", "drop_path"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"model.{name}", f"{getattr(self, name)} is not in [0, 1)")
        if self.n_windows > GRID.n_windows:
            raise InputError("model.n_windows", f"{self.n_windows}: an observation has {GRID.n_windows}")
        if self.encoder == "steps":
            if self.memory_tail:
                raise InputError("model.memory_tail", "encoder=steps has every step in its memory already")
            if self.importance_on != "inputs":
                raise InputError("model.importance_on", "encoder=steps has no window importance")
            if self.memory != "gru":
                raise InputError("model.memory", "encoder=steps has no summaries: its steps are the memory")
            if self.auxiliary == "all":
                raise InputError("model.auxiliary", "encoder=steps is observed on the last window, or not at all")
        unknown = [name for name in self.classes if name not in set(ACTIONS)]
        if unknown or len(set(self.classes)) != len(self.classes):
            raise InputError("model.classes", f"{unknown[0] if unknown else 'one twice'!r}, of {', '.join(ACTIONS)}")
        if self.d_model % self.heads:
            raise InputError("model.heads", f"{self.heads} does not divide d_model {self.d_model}")
        if self.summaries > self.n_snippets:
            raise InputError("model.summaries", f"{self.summaries} summaries of {self.n_snippets} snippets")

    @property
    def class_indices(self) -> tuple[int, ...]:
        """Of ``classes``, in benchmark order."""
        return tuple(c for c, action in enumerate(ACTIONS) if not self.classes or action in self.classes)
