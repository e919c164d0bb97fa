"""The trainer of an anticipator on examples of any observation source, and its settings (docs/paper.md 1.4)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import torch
from torch import Tensor

from playahead.datasets.examples import Examples
from playahead.features.forms import Reading, reading_of
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.io.files import file_digest
from playahead.io.settings import check_counts
from playahead.paper.anticipator import Anticipator
from playahead.paper.sampling import example_weights, inverse_frequency, mix
from playahead.training.loop import Loop, LoopConfig, fingerprint, step_seed
from playahead.variants.config import SLOT_HEADS, AnticipatorConfig, CriterionConfig
from playahead.variants.losses import build_criterion
from playahead.variants.model import build

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Validate = Callable[[Predictor], dict[str, float]]
"""Function that scores a model, see ``training.run.validate``."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig(LoopConfig):
    """Settings of a run beside the loop's.

    Attributes:
        model, criterion: model and losses.
        sequences: sequences in a batch.
        examples: examples in a sequence; sequences x examples is the paper's batch (P: 32).
        rare_sampler: examples with rare classes are drawn more often, or weigh more where a sequence also holds others
            (P).
        hindsight: a feed's rows as they were recorded; else what only the future tells is taken out
            (``features/hindsight.py``).
        without: columns of a feed that the model is not shown: detail, flags, player, role; tally (how often each side
            has done what).
        degraded: share of a feed's sequences that are observed through a random worse source (``datasets/pasts.py``);
            0 in the paper.
        augment: shift in time, mirror and side-swap sequences of a feed at random; not in the paper.
        mixup_alpha: alpha of Beta(alpha, alpha) (L: 0.2); 0 is off.
        decoding: decoding of the validation that chooses checkpoints: "paper" (threshold 0.3) or "marginal", the only
            one without slots.
        checkpoint_by: figure of that validation: the exact area, which is steadier, or the official average (C: the
            paper says nothing).
    """

    model: AnticipatorConfig
    criterion: CriterionConfig = field(default_factory=CriterionConfig)
    sequences: int = 32
    examples: int = 1
    rare_sampler: bool = True
    hindsight: bool = True
    without: tuple[Literal["detail", "flags", "player", "role", "tally"], ...] = ()
    degraded: float = 0.0
    augment: bool = True
    mixup_alpha: float = 0.2
    decoding: Literal["marginal", "paper"] = "marginal"
    checkpoint_by: Literal["area", "official"] = "area"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(self, "sequences", "examples")
        self.require_shares("sequences")
        if not 0 <= self.degraded <= 1:
            raise InputError("TrainConfig.degraded", f"{self.degraded} is not a share, 0 to 1")
        if not 0 <= self.mixup_alpha < math.inf:
            raise InputError("TrainConfig.mixup_alpha", f"{self.mixup_alpha} is not a number of 0 or more")
        if self.model.head in SLOT_HEADS and not (self.criterion.matched_weight or self.criterion.intensity_weight):
            weights = "matched_weight and intensity_weight are both 0: nothing trains the slots"
            raise InputError("CriterionConfig.matched_weight", weights)

    @property
    def reading(self) -> Reading:
        """The model's way of reading a feed."""
        return reading_of(asdict(self))

    @property
    def examples_seen(self) -> int:
        """Number of examples that the whole run trains on."""
        return self.total_steps * self.sequences * self.examples


class Trainer(Loop):
    """Trains an anticipator on examples of any observation source."""

    unit = "examples"

    def __init__(
        self,
        config: TrainConfig,
        examples: Examples,
        validate: Validate,
        folder: Path,
        start: Path | None = None,
        fabric: "Fabric | None" = None,
    ) -> None:
        if examples.feature_dim != config.model.feature_dim:
            dims = f"{config.model.feature_dim}, but the windows have {examples.feature_dim} features"
            raise InputError("AnticipatorConfig.feature_dim", dims)
        self.config, self.examples, self.validate = config, examples, validate
        torch.manual_seed(step_seed(config.seed, -1))
        model, self._started_from = build(config.model), ""
        if start is not None:
            self._started_from = _load_into(model, start)
        known = fingerprint(asdict(config), examples.digest) + self._started_from[:16]
        super().__init__(config, model, folder, known, fabric)
        weight_C = inverse_frequency(examples.counts_C, examples.classes)
        self.criterion = build_criterion(
            config.criterion, config.model.head, weight_C, self.fabric.device, examples.classes
        )
        self._drawn_weight_A = examples.rare_weight_A if config.rare_sampler else np.ones_like(examples.rare_weight_A)

    @property
    def chosen_by(self) -> str:
        """See ``TrainConfig.checkpoint_by``."""
        return {"area": "map", "official": "official"}[self.config.checkpoint_by]

    @property
    def per_step(self) -> int:
        """Number of examples in a step."""
        return self.config.sequences * self.config.examples

    @property
    def averaged_model(self) -> Anticipator:
        """Model with the moving average of the weights."""
        return cast(Anticipator, self.average.module)

    def losses(self, rng: np.random.Generator) -> tuple[dict[str, Tensor], Sequence[str]]:
        """Losses of sequences drawn by ``rng``, mixed as the configuration says."""
        weight_A = self._drawn_weight_A
        anchors = rng.choice(len(weight_A), self.share_of(self.config.sequences), p=weight_A / weight_A.sum())
        batch = self.examples.batch(anchors, rng)
        targets = batch.targets
        if self.config.rare_sampler:
            weight_O = example_weights(targets.class_OE.numpy(), weight_A[anchors])
            targets = replace(targets, weight_O=torch.from_numpy(weight_O))
        mixed = mix(batch.features_BWNF, targets, self.config.mixup_alpha, rng)
        output = self.model(mixed.features_BWNF.to(self.fabric.device, non_blocking=True))
        try:
            return self.criterion(output, mixed.parts), batch.names_B
        except FloatingPointError as reason:
            raise self.broken(str(reason), batch.names_B) from None

    def validated(self) -> dict[str, float]:
        """Figures of ``validate`` for the averaged model."""
        return self.validate(Predictor(self.averaged_model, {"train": asdict(self.config)}))

    def keep(self, path: Path) -> None:
        """Write the averaged model with the whole configuration."""
        about: dict[str, object] = {"train": asdict(self.config), "step": self.step, "figures": self.figures}
        if self._started_from:
            about["started_from"] = self._started_from
        Predictor(self.averaged_model, about).save(path)


def _load_into(model: Anticipator, start: Path) -> str:
    """Give a model the weights of a file; returns the file's digest.

    Raises:
        InputError: they are of another model.
    """
    try:
        model.load_state_dict(Predictor.open(start).network.state_dict())
    except RuntimeError as reason:
        raise InputError(start, f"holds another model ({' '.join(str(reason).split())[:200]})") from None
    return file_digest(start)
