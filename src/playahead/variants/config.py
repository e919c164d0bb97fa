"""Settings beside the paper's; every default is the paper."""

from dataclasses import dataclass
from typing import Literal

from playahead.domain.actions import ACTIONS
from playahead.io.errors import InputError
from playahead.io.settings import check_choices
from playahead.paper.config import LossConfig, ModelConfig, ScheduleConfig, require

Head = Literal["slots", "joint", "dense", "unrolled", "rates"]
SLOT_HEADS = ("slots", "joint")
"""Heads that answer with slots; the others answer for every frame."""


@dataclass(frozen=True, kw_only=True)
class AnticipatorConfig(ModelConfig):
    """The paper's model with other pieces.

    Attributes:
        encoder: "windows" (the paper: each window on its own), or "steps": every step of an example in one row, each
            seeing its 15 neighbours (FAANTRA); the steps are the memory then. "now" and "rows" read a feed at one
            moment, without and with memory of its rows (``variants/moment.py``).
        memory: a GRU over the summaries (the paper), or no GRU: the summaries of all windows ("mean") or of the last
            one ("last"), whose mean is the context.
        window_importance: one learned weight a window (the paper).
        importance_on: what the importance scales, inputs or outputs of the GRU (the paper allows either reading).
        memory_tail: the decoder also sees the last window's own tokens, at full rate.
        slot_time: "bins" (the paper), or "regression": one number a slot, exp(.) of the 5 s (FAANTRA).
        head: "slots" (the paper); "joint": slots with one softmax over the classes and "nothing" in place of objectness
            and class; "dense": 32 frames x 10 classes on the same encoder and decoder; "unrolled": the same frames from
            a GRU that goes on from the context (RULSTM); or "rates": frames x classes as logarithms of rates, of
            encoders "now" and "rows".
        auxiliary: the observation head on the last window (the paper), on all windows, or off.
        classes: names of the classes that the training data annotates; no other is ever predicted; all if empty.
    """

    encoder: Literal["windows", "steps", "now", "rows"] = "windows"
    memory: Literal["gru", "mean", "last"] = "gru"
    window_importance: bool = True
    importance_on: Literal["inputs", "outputs"] = "inputs"
    memory_tail: bool = False
    slot_time: Literal["bins", "regression"] = "bins"
    head: Head = "slots"
    auxiliary: Literal["off", "last", "all"] = "last"
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choices(self)
        require(self, "head", (self.head == "rates") == self.reads_moments, "for this encoder: rates, of now and rows")
        if self.reads_moments:
            require(self, "auxiliary", self.auxiliary == "off", "for moments, which hold no steps: off")
            require(
                self,
                "d_model heads",
                self.d_model % (4 * self.heads) == 0,
                "for moments: a multiple of 4 times the heads",
            )
        if self.encoder == "steps":
            for name, value in {"memory": "gru", "importance_on": "inputs", "memory_tail": False}.items():
                require(self, name, getattr(self, name) == value, "for encoder=steps, whose memory is its steps")
            require(self, "auxiliary", self.auxiliary != "all", "for encoder=steps: last, or off")
        if not set(self.classes) <= set(ACTIONS) or len(set(self.classes)) < len(self.classes):
            raise InputError("AnticipatorConfig.classes", f"{self.classes} are not distinct, of {', '.join(ACTIONS)}")

    @property
    def reads_moments(self) -> bool:
        """Whether it reads moments of a feed, not windows."""
        return self.encoder in ("now", "rows")

    @property
    def class_indices(self) -> tuple[int, ...]:
        """Indices of ``classes``, in benchmark order."""
        return tuple(c for c, action in enumerate(ACTIONS) if not self.classes or action in self.classes)


@dataclass(frozen=True, kw_only=True)
class CriterionConfig(LossConfig):
    """The paper's losses with others.

    Attributes:
        pairing: "hungarian", the least total cost (the paper), or "sequential": the first slot answers for the first
            event in time, the second for the second (FAANTRA).
        frequency: what the class weights do to an event's costs: "divide" (the paper), "none" or "multiply".
        class_weight: weight of the class in the cost; 0 assigns by time alone.
        class_balance: class loss weighted by inverse frequency (FAANTRA).
        matched_weight: weight of the paper's three slot losses together.
        intensity_weight: weight of the point-process likelihood of the slots' summed intensity.
        class_power: power of the inverse frequency by which a class weighs in the loss of rates.
        observation: loss of the observation head: "focal" (the paper), or "segmentation": each step is one class or
            none, labels widened to 4 steps on either side, weighted by inverse frequency (FAANTRA).
    """

    pairing: Literal["hungarian", "sequential"] = "hungarian"
    frequency: Literal["divide", "none", "multiply"] = "divide"
    class_weight: float = 1.0
    class_balance: bool = False
    matched_weight: float = 1.0
    intensity_weight: float = 0.0
    class_power: float = 0.3
    observation: Literal["focal", "segmentation"] = "focal"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choices(self)
        for name in ("class_weight", "matched_weight", "intensity_weight", "class_power"):
            require(self, name, 0 <= getattr(self, name) < float("inf"), "a number of 0 or more")
        costs = "class_weight offset_weight"
        is_used = self.pairing == "hungarian" or (self.class_weight, self.offset_weight) == (1.0, 1.0)
        require(self, costs, is_used, "for pairing=sequential, which looks at no cost")
        require(self, costs, self.class_weight + self.offset_weight > 0, "above 0: nothing to assign by")


@dataclass(frozen=True, kw_only=True)
class OptimConfig(ScheduleConfig):
    """The paper's schedule with another optimiser.

    Attributes:
        kind: "adamw" (the paper), or "muon": the layers' matrices step along their orthogonalised momentum, all else by
            AdamW. Update RMS is matched, so one learning rate suits both.
    """

    kind: Literal["adamw", "muon"] = "adamw"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choices(self)
