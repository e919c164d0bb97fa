"""Training an anticipator: what a run is made of, and its steps."""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor

from playahead.errors import InputError
from playahead.learning.checkpoint import load_model, save_model
from playahead.learning.criterion import Criterion, CriterionConfig
from playahead.learning.loop import Loop, require_settings, step_seed
from playahead.learning.optim import OptimConfig
from playahead.model.anticipator import Anticipator
from playahead.model.config import AnticipatorConfig
from playahead.windows.dataset import TrainingWindows
from playahead.windows.mixup import mix
from playahead.windows.sampling import inverse_frequency

Validate = Callable[[Anticipator], dict[str, float]]
"""Scores a model; ``"map"`` among the figures chooses the best checkpoint."""


@dataclass(frozen=True)
class TrainConfig:
    """One run.

    Attributes:
        model, criterion, optim: what is trained, on what, how.
        seed: of everything random.
        epochs, steps_per_epoch: length of the run.
        passages: passages in a batch.
        observations: observations in a passage; passages x observations is the paper's batch (P: 32).
        rare_sampler: draw windows with rare classes more often (P).
        mixup_alpha: of Beta(alpha, alpha) (C: 0.2); 0 is off.
        average_decay: of the exponential moving average that is validated and kept.
        precision: of lightning-fabric: "bf16-mixed" (P) or "32-true".
        validate_every: epochs between validations (the last epoch is always validated).
        save_every: steps between saved states.
    """

    model: AnticipatorConfig
    criterion: CriterionConfig = field(default_factory=CriterionConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    seed: int = 0
    epochs: int = 35
    steps_per_epoch: int = 144
    passages: int = 32
    observations: int = 1
    rare_sampler: bool = True
    mixup_alpha: float = 0.2
    average_decay: float = 0.999
    precision: Literal["bf16-mixed", "32-true"] = "bf16-mixed"
    validate_every: int = 1
    save_every: int = 100

    def __post_init__(self) -> None:
        require_settings(self)
        for name in ("passages", "observations"):
            if getattr(self, name) < 1:
                raise InputError(f"train.{name}", f"{getattr(self, name)} is below 1")
        if not 0 <= self.mixup_alpha < math.inf:
            raise InputError("train.mixup_alpha", f"{self.mixup_alpha} is not a number of 0 or more")
        if self.model.head == "slots" and not (self.criterion.matched_weight or self.criterion.intensity_weight):
            raise InputError("criterion", "matched_weight and intensity_weight are both 0: nothing trains the slots")

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.epochs * self.steps_per_epoch

    def fingerprint(self, windows: TrainingWindows) -> str:
        """Tells whether a saved state belongs to this run on these windows."""
        return hashlib.sha256(json.dumps([asdict(self), windows.digest], sort_keys=True).encode()).hexdigest()[:16]


class Trainer(Loop):
    """An anticipator on windows of any observation source."""

    def __init__(
        self,
        config: TrainConfig,
        windows: TrainingWindows,
        validate: Validate,
        folder: Path,
        start: Path | None = None,
    ) -> None:
        if windows.feature_dim != config.model.feature_dim:
            dims = f"{config.model.feature_dim}, but the windows have {windows.feature_dim} features"
            raise InputError("model.feature_dim", dims)
        self.config, self.windows, self.validate = config, windows, validate
        torch.manual_seed(step_seed(config.seed, -1))
        model, self._started_from = Anticipator(config.model), ""
        if start is not None:
            self._started_from = _load_into(model, start)
        super().__init__(config, model, folder, config.fingerprint(windows) + self._started_from[:16])
        class_weight_C = torch.from_numpy(inverse_frequency(windows.counts_C)).to(self.fabric.device)
        self.criterion = Criterion(config.criterion, class_weight_C)
        weights = windows.rare_weight_A if config.rare_sampler else np.ones_like(windows.rare_weight_A)
        self._chance_A = weights / weights.sum()

    @property
    def per_step(self) -> int:
        """Observations in a step."""
        return self.config.passages * self.config.observations

    @property
    def averaged_model(self) -> Anticipator:
        """The moving average of the weights, as a model."""
        return cast(Anticipator, self.average.module)

    def losses(self, rng: np.random.Generator) -> tuple[dict[str, Tensor], Sequence[str]]:
        """Of passages drawn by ``rng``, mixed as the configuration says."""
        anchors = rng.choice(len(self._chance_A), self.config.passages, p=self._chance_A)
        batch = self.windows.batch(anchors, rng)
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
        return self.validate(self.averaged_model)

    def keep(self, path: Path) -> None:
        """The averaged model, with the whole configuration."""
        about: dict[str, object] = {"train": asdict(self.config), "step": self.step, "figures": self.figures}
        if self._started_from:
            about["started_from"] = self._started_from
        save_model(path, self.averaged_model, about)


def _load_into(model: Anticipator, start: Path) -> str:
    """Give a model the weights of a file; returns the file's hash.

    Raises:
        InputError: they are of another model.
    """
    trained, _ = load_model(start)
    try:
        model.load_state_dict(trained.state_dict())
    except RuntimeError as reason:
        raise InputError(start, f"holds another model ({' '.join(str(reason).split())[:200]})") from None
    return hashlib.sha256(start.read_bytes()).hexdigest()
