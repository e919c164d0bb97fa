"""Training an anticipator on examples of any observation source (docs/paper.md 1.4): its settings, and its steps."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from playahead.datasets.batch import Examples
from playahead.datasets.mixup import mix
from playahead.datasets.sampling import inverse_frequency
from playahead.errors import InputError
from playahead.files import file_digest
from playahead.inference.predictor import Predictor
from playahead.model.anticipator import Anticipator
from playahead.model.config import AnticipatorConfig
from playahead.training.criterion import Criterion, CriterionConfig
from playahead.training.loop import Loop, LoopConfig, fingerprint, step_seed

Validate = Callable[[Predictor], dict[str, float]]
"""Scores a model; ``"map"`` among the figures chooses the best checkpoint."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig(LoopConfig):
    """One run: the loop's settings, and these.

    Attributes:
        model, criterion: what is trained, on which losses.
        sequences: in a batch.
        examples: in a sequence; sequences x examples is the paper's batch (P: 32).
        rare_sampler: draw examples with rare classes more often (P).
        mixup_alpha: of Beta(alpha, alpha) (C: 0.2); 0 is off.
    """

    model: AnticipatorConfig
    criterion: CriterionConfig = field(default_factory=CriterionConfig)
    sequences: int = 32
    examples: int = 1
    rare_sampler: bool = True
    mixup_alpha: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("sequences", "examples"):
            if getattr(self, name) < 1:
                raise InputError(f"train.{name}", f"{getattr(self, name)} is below 1")
        if not 0 <= self.mixup_alpha < math.inf:
            raise InputError("train.mixup_alpha", f"{self.mixup_alpha} is not a number of 0 or more")
        if self.model.head == "slots" and not (self.criterion.matched_weight or self.criterion.intensity_weight):
            raise InputError("criterion", "matched_weight and intensity_weight are both 0: nothing trains the slots")

    @property
    def examples_seen(self) -> int:
        """Examples that the whole run trains on."""
        return self.total_steps * self.sequences * self.examples


class Trainer(Loop):
    """An anticipator on examples of any observation source."""

    unit = "examples"

    def __init__(
        self,
        config: TrainConfig,
        examples: Examples,
        validate: Validate,
        folder: Path,
        start: Path | None = None,
    ) -> None:
        if examples.feature_dim != config.model.feature_dim:
            dims = f"{config.model.feature_dim}, but the windows have {examples.feature_dim} features"
            raise InputError("model.feature_dim", dims)
        self.config, self.examples, self.validate = config, examples, validate
        torch.manual_seed(step_seed(config.seed, -1))
        model, self._started_from = Anticipator(config.model), ""
        if start is not None:
            self._started_from = _load_into(model, start)
        known = fingerprint(asdict(config), examples.digest) + self._started_from[:16]
        super().__init__(config, model, folder, known)
        class_weight_C = torch.from_numpy(inverse_frequency(examples.counts_C)).to(self.fabric.device)
        self.criterion = Criterion(config.criterion, class_weight_C)
        weights = examples.rare_weight_A if config.rare_sampler else np.ones_like(examples.rare_weight_A)
        self._probability_A = weights / weights.sum()

    @property
    def per_step(self) -> int:
        """Examples in a step."""
        return self.config.sequences * self.config.examples

    @property
    def averaged_model(self) -> Anticipator:
        """The moving average of the weights, as a model."""
        return cast(Anticipator, self.average.module)

    def losses(self, rng: np.random.Generator) -> tuple[dict[str, Tensor], Sequence[str]]:
        """Of sequences drawn by ``rng``, mixed as the configuration says."""
        anchors = rng.choice(len(self._probability_A), self.config.sequences, p=self._probability_A)
        batch = self.examples.batch(anchors, rng)
        mixed = mix(batch, self.config.mixup_alpha, rng)
        output = self.model(mixed.features_BWNF.to(self.fabric.device))
        if not all(torch.isfinite(logits).all() for logits in output.tensors()):
            raise self.broken("the model's output", batch.names_B)
        losses: dict[str, Tensor] = {}
        for share, targets in mixed.parts:
            for name, value in self.criterion(output, targets.to(self.fabric.device)).items():
                losses[name] = losses.get(name, 0) + share * value
        return losses, batch.names_B

    def validated(self) -> dict[str, float]:
        """What ``validate`` says of the averaged model."""
        return self.validate(Predictor(self.averaged_model, {}))

    def keep(self, path: Path) -> None:
        """The averaged model, with the whole configuration."""
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
