"""The training loop, killable and resumable at any moment.

A step's randomness (which passages, their shifts, MixUp, dropout) is a function of the seed and the step's number
alone, and the state on disk holds everything that steps change. So a run that was killed ends with the same
weights, bit for bit, as one that was not.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from playahead.errors import InputError, NonFiniteLossError
from playahead.learning.checkpoint import pack_state, save_model, unpack_state
from playahead.learning.criterion import Criterion, CriterionConfig
from playahead.learning.log import RunLog
from playahead.learning.optim import OptimConfig, build_optimizer, learning_rate
from playahead.model.anticipator import Anticipator
from playahead.model.config import AnticipatorConfig
from playahead.tensorfile import read_tensors, write_tensors
from playahead.windows.batch import Batch
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
        for name in ("epochs", "steps_per_epoch", "passages", "observations", "validate_every", "save_every"):
            if getattr(self, name) < 1:
                raise InputError(f"train.{name}", f"{getattr(self, name)} is below 1")
        if not 0 <= self.seed < 2**63:
            raise InputError("train.seed", f"{self.seed} is not in 0..2^63 - 1")
        if not 0 <= self.average_decay < 1:
            raise InputError("train.average_decay", f"{self.average_decay} is not in [0, 1)")
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
        data = [windows.counts_C.tolist(), hashlib.sha256(windows.rare_weight_A.tobytes()).hexdigest()]
        return hashlib.sha256(json.dumps([asdict(self), data], sort_keys=True).encode()).hexdigest()[:16]


@dataclass
class Progress:
    """Where a run stands, for whoever shows it.

    ``losses`` are the means since the epoch's start, ``figures`` the last validation's.
    """

    step: int
    total_steps: int
    windows_per_s: float
    losses: dict[str, float]
    figures: dict[str, float]
    windows_per_step: int

    @property
    def seconds_left(self) -> float:
        """At the speed so far."""
        return (self.total_steps - self.step) * self.windows_per_step / max(self.windows_per_s, 1e-9)


class Trainer:
    """One run in one folder: ``state.safetensors``, ``best.safetensors``, ``last.safetensors``, and its log."""

    def __init__(self, config: TrainConfig, windows: TrainingWindows, validate: Validate, folder: Path) -> None:
        if windows.feature_dim != config.model.feature_dim:
            dims = f"{config.model.feature_dim}, but the windows have {windows.feature_dim} features"
            raise InputError("model.feature_dim", dims)
        self.config, self.windows, self.validate, self.folder = config, windows, validate, folder
        self.fabric = Fabric(accelerator="auto", devices=1, precision=config.precision)
        torch.manual_seed(_step_seed(config.seed, -1))
        self.plain_model = Anticipator(config.model)
        self.average = AveragedModel(self.plain_model, multi_avg_fn=get_ema_multi_avg_fn(config.average_decay)).to(
            self.fabric.device
        )
        optimizer = build_optimizer(self.plain_model, config.optim)
        self.model, self.optimizer = self.fabric.setup(self.plain_model, optimizer)
        class_weight_C = torch.from_numpy(inverse_frequency(windows.counts_C)).to(self.fabric.device)
        self.criterion = Criterion(config.criterion, class_weight_C)
        weights = windows.rare_weight_A if config.rare_sampler else np.ones_like(windows.rare_weight_A)
        self._chance_A = weights / weights.sum()
        self.log = RunLog(folder)
        self.step = 0
        self.best = -math.inf
        self.figures: dict[str, float] = {}
        self._sums: dict[str, float] = {}
        self._resume()

    @property
    def averaged_model(self) -> Anticipator:
        """The moving average of the weights, as a model."""
        return cast(Anticipator, self.average.module)

    def run(self, show: Callable[[Progress], None] = lambda _: None) -> dict[str, float]:
        """Train to the end; returns the last validation's figures and ``"best"``.

        Raises:
            NonFiniteLossError: a loss was NaN or infinite; the batch is named, the last good state is kept.
        """
        started, first_step = time.monotonic(), self.step
        per_step = self.config.passages * self.config.observations
        while self.step < self.config.total_steps:
            losses = self._train_step()
            for name, value in losses.items():
                self._sums[name] = self._sums.get(name, 0.0) + value
            self.step += 1
            in_epoch = (self.step - 1) % self.config.steps_per_epoch + 1
            means = {name: value / in_epoch for name, value in self._sums.items()}
            speed = (self.step - first_step) * per_step / max(time.monotonic() - started, 1e-9)
            if in_epoch == self.config.steps_per_epoch:
                self._end_epoch(means, speed)
            elif self.step % self.config.save_every == 0:
                self._save()
            show(Progress(self.step, self.config.total_steps, speed, means, self.figures, per_step))
        return {**self.figures, "best": self.best}

    def _train_step(self) -> dict[str, float]:
        config = self.config
        self.model.train()
        epoch = self.step / config.steps_per_epoch
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(epoch, config.optim, config.epochs)
        torch.manual_seed(_step_seed(config.seed, self.step))
        rng = np.random.default_rng([config.seed, self.step])
        anchors = rng.choice(len(self._chance_A), config.passages, p=self._chance_A)
        batch = self.windows.batch(anchors, rng)
        mixed = mix(batch, config.mixup_alpha, rng)
        output = self.model(mixed.features_BWNF.to(self.fabric.device))
        if not all(torch.isfinite(logits).all() for logits in output.tensors()):
            raise self._broken("the model's output", batch)
        losses: dict[str, torch.Tensor] = {}
        for share, targets in mixed.parts:
            for name, value in self.criterion(output, targets.to(self.fabric.device)).items():
                losses[name] = losses.get(name, 0) + share * value
        if not torch.isfinite(losses["total"]):
            raise self._broken(f"the loss, { ({n: float(v) for n, v in losses.items()}) },", batch)
        self.optimizer.zero_grad()
        self.fabric.backward(losses["total"])
        norm = self.fabric.clip_gradients(
            self.model, self.optimizer, max_norm=config.optim.clip_norm, error_if_nonfinite=False
        )
        if norm is not None and not torch.isfinite(norm):
            raise self._broken("the gradient", batch)
        self.optimizer.step()
        self.average.update_parameters(self.plain_model)
        return {name: float(value.detach()) for name, value in losses.items()}

    def _broken(self, what: str, batch: Batch) -> NonFiniteLossError:
        more = f" and {len(batch.names_B) - 4} more" if len(batch.names_B) > 4 else ""
        return NonFiniteLossError(
            f"{what} is not finite at step {self.step}, on {'; '.join(batch.names_B[:4])}{more} "
            "(check the features, or lower optim.lr)"
        )

    def _end_epoch(self, means: dict[str, float], speed: float) -> None:
        epoch = self.step // self.config.steps_per_epoch
        if epoch % self.config.validate_every == 0 or self.step == self.config.total_steps:
            averaged = self.averaged_model
            with self.fabric.autocast():
                self.figures = self.validate(averaged.eval())
            if self.figures["map"] > self.best:
                self.best = self.figures["map"]
                save_model(self.folder / "best.safetensors", averaged, self._about())
            save_model(self.folder / "last.safetensors", averaged, self._about())
        row = {"epoch": epoch, "step": self.step, "windows_per_s": round(speed, 1)}
        row["lr"] = self.optimizer.param_groups[0]["lr"]
        self.log.add({**row, **{f"loss_{n}": v for n, v in means.items()}, **self.figures})
        self._sums = {}
        self._save()

    def _about(self) -> dict[str, object]:
        return {"train": asdict(self.config), "step": self.step, "figures": self.figures}

    def _save(self) -> None:
        about = {
            "fingerprint": self.config.fingerprint(self.windows),
            "step": self.step,
            "best": self.best,
            "figures": self.figures,
            "sums": self._sums,
        }
        tensors = pack_state(self.plain_model, self.average, self.optimizer)
        write_tensors(self.folder / "state.safetensors", tensors, about)

    def _resume(self) -> None:
        path = self.folder / "state.safetensors"
        if not path.exists():
            return
        tensors, about = read_tensors(path)
        if about.get("fingerprint") != self.config.fingerprint(self.windows):
            raise InputError(path, "belongs to a run with other settings or data", "choose another --out")
        unpack_state(tensors, self.plain_model, self.average, self.optimizer)
        saved: dict[str, Any] = about
        self.step, self.best = saved["step"], saved["best"]
        self.figures, self._sums = saved["figures"], saved["sums"]


def _step_seed(seed: int, step: int) -> int:
    """A seed for torch of its own for every (run, step)."""
    digest = hashlib.sha256(f"{seed}:{step}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
