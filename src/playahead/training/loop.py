"""The training loop, killable and resumable at any moment; what is trained is up to its subclasses.

A step's randomness (what is drawn, augmentation, dropout) is a function of the seed and the step's number alone, and
the state on disk holds everything that steps change. So a run that was killed ends with the same weights, bit for bit,
as one that was not.
"""

import hashlib
import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from playahead.io.errors import InputError, NonFiniteLossError
from playahead.io.files import as_before
from playahead.io.progress import Progress, Show, quiet
from playahead.io.settings import check_choices
from playahead.io.tensors import read_tensors, write_tensors
from playahead.training.log import RunLog
from playahead.training.optim import OptimConfig, build_optimizers, learning_rate
from playahead.training.ranks import make_fabric
from playahead.training.state import pack_state, unpack_state

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """The settings that every training run has.

    Attributes:
        optim: the optimiser and its schedule.
        seed: of everything random.
        epochs, steps_per_epoch: length of the run.
        average_decay: of the exponential moving average that is validated and kept.
        precision: of lightning-fabric: "bf16-mixed" (P) or "32-true".
        device: cpu, cuda, cuda:1, mps, or auto.
        devices: of that kind that train together, each on its share of every batch: a run sees as many examples on
            several as on one.
        deterministic: on an accelerator, only algorithms that give the same bits every time, so that a resumed run
            does (slower); on a CPU they always do.
        validate_every: epochs between validations (the last epoch is always validated).
        save_every: steps between saved states.
    """

    optim: OptimConfig = field(default_factory=OptimConfig)
    seed: int = 0
    epochs: int = 35
    steps_per_epoch: int = 144
    average_decay: float = 0.999
    precision: Literal["bf16-mixed", "32-true"] = "bf16-mixed"
    device: str = "auto"
    devices: int = 1
    deterministic: bool = False
    validate_every: int = 1
    save_every: int = 100

    def __post_init__(self) -> None:
        check_choices(self, "train")
        for name in ("epochs", "steps_per_epoch", "validate_every", "save_every", "devices"):
            if getattr(self, name) < 1:
                raise InputError(f"train.{name}", f"{getattr(self, name)} is below 1")
        if not 0 <= self.seed < 2**63:
            raise InputError("train.seed", f"{self.seed} is not in 0..2^63 - 1")
        if not 0 <= self.average_decay < 1:
            raise InputError("train.average_decay", f"{self.average_decay} is not in [0, 1)")

    def require_shares(self, name: str, parts: int = 1) -> None:
        """Refuse a batch that cannot be shared evenly: its mean gradient would weigh some examples more.

        Args:
            name: of the setting that says what a step draws.
            parts: that each device's share goes through in.
        """
        batch, shares = getattr(self, name), self.devices * parts
        if batch % shares:
            by = " times ".join([f"{self.devices} devices"] * (self.devices > 1) + [f"{parts} parts"] * (parts > 1))
            raise InputError(f"train.{name}", f"{batch} cannot be shared evenly by {by}", f"a multiple of {shares}")

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.epochs * self.steps_per_epoch


def fingerprint(settings: object, data: object) -> str:
    """Tells whether a saved state belongs to these settings on this data; both as JSON can hold them."""
    return hashlib.sha256(json.dumps([as_before(settings), data], sort_keys=True).encode()).hexdigest()[:16]


class Loop(ABC):
    """One run in one folder: ``state.safetensors``, ``best.safetensors``, ``last.safetensors``, and its log."""

    unit = "windows"

    def __init__(
        self, settings: LoopConfig, model: nn.Module, folder: Path, fingerprint: str, fabric: "Fabric | None" = None
    ) -> None:
        self.settings, self.folder, self.fingerprint = settings, folder, fingerprint
        self.fabric = fabric or make_fabric(settings)
        self.plain_model = model
        update = moving_average(settings.average_decay, lambda: self.step)
        self.average = AveragedModel(model, multi_avg_fn=update).to(self.fabric.device)
        self.average.n_averaged = self.average.n_averaged.cpu()  # the host asks for it in every step
        self.model, *self.optimizers = self.fabric.setup(model, *build_optimizers(model, settings.optim))
        self.log = RunLog(folder)
        self.step = 0
        self.best = -math.inf
        self.figures: dict[str, float] = {}
        self._sums: dict[str, float] = {}
        self._resume()

    @property
    def chosen_by(self) -> str:
        """The figure of ``validated`` that chooses the best checkpoint."""
        return "map"

    @property
    @abstractmethod
    def per_step(self) -> int:
        """Units in a step, of all devices together."""

    def share_of(self, batch: int) -> int:
        """What this device draws of a step's batch."""
        return batch // self.fabric.world_size

    @abstractmethod
    def losses(self, rng: np.random.Generator) -> tuple[dict[str, Tensor], Sequence[str]]:
        """Losses of this device's share of a batch, drawn by ``rng``, with their sum as ``"total"``; and where it comes
        from."""

    def backward(self, rng: np.random.Generator) -> tuple[dict[str, Tensor], Sequence[str]]:
        """Gradients of ``losses``, whose values it returns."""
        losses, names = self.losses(rng)
        self.fabric.backward(losses["total"])
        return losses, names

    @abstractmethod
    def validated(self) -> dict[str, float]:
        """Figures of the averaged model; ``"map"`` among them chooses the best checkpoint."""

    @abstractmethod
    def keep(self, path: Path) -> None:
        """Write the averaged model, to be used."""

    def run(self, show: Show = quiet) -> dict[str, float]:
        """Train to the end; returns the last validation's figures and ``"best"``.

        Raises:
            NonFiniteLossError: a loss was NaN or infinite; the batch is named, the last good state is kept.
        """
        started, first_step = time.monotonic(), self.step
        total = self.settings.total_steps
        while self.step < total:
            for name, value in self._train_step().items():
                self._sums[name] = self._sums.get(name, 0.0) + value
            self.step += 1
            in_epoch = (self.step - 1) % self.settings.steps_per_epoch + 1
            means = {name: value / in_epoch for name, value in self._sums.items()}
            speed = (self.step - first_step) * self.per_step / max(time.monotonic() - started, 1e-9)
            if in_epoch == self.settings.steps_per_epoch:
                self._end_epoch(means, speed, self.step == total)
            elif self.step % self.settings.save_every == 0:
                self._save()
            if self.fabric.is_global_zero:
                show(Progress(f"training {self.folder.name}", self.step, total, "steps", self._note(speed, means)))
        self.log.close()
        return {**self.figures, "best": self.best}

    def _note(self, speed: float, means: Mapping[str, float]) -> str:
        validated = f", validation mAP {self.figures['map']:.2f}" if self.figures else ""
        return f"{speed:.0f} {self.unit}/s, loss {means['total']:.2f}{validated}"

    def _train_step(self) -> dict[str, float]:
        settings = self.settings
        self.model.train()
        lr = learning_rate(self.step / settings.steps_per_epoch, settings.optim, settings.epochs)
        for group in (group for optimizer in self.optimizers for group in optimizer.param_groups):
            group["lr"] = lr
        torch.manual_seed(step_seed(settings.seed, self.step))
        others = [self.fabric.global_rank] if self.fabric.global_rank else []
        self.model.zero_grad()
        losses, names = self.backward(np.random.default_rng([settings.seed, self.step, *others]))
        norm = nn.utils.clip_grad_norm_(self.plain_model.parameters(), settings.optim.clip_norm)
        # One transfer from the accelerator for all that the host must know of a step.
        *read, norm = torch.stack([*(value.detach().float() for value in losses.values()), norm]).cpu().tolist()
        found = dict(zip(losses, read, strict=True))
        if not math.isfinite(found["total"]):
            raise self.broken(f"the loss, {found},", names)
        if not math.isfinite(norm):
            raise self.broken("the gradient", names)
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.update_parameters(self.plain_model)
        return found

    def broken(self, what: str, names: Sequence[str]) -> NonFiniteLossError:
        """The error that names a batch whose numbers are not finite."""
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        return NonFiniteLossError(
            f"{what} is not finite at step {self.step}, on {'; '.join(names[:4])}{more} "
            "(check the features, or lower optim.lr)"
        )

    def _end_epoch(self, means: dict[str, float], speed: float, is_last: bool) -> None:
        epoch = self.step // self.settings.steps_per_epoch
        if not self.fabric.is_global_zero:
            self._sums = {}
            return
        if epoch % self.settings.validate_every == 0 or is_last:
            self.average.module.eval()
            with self.fabric.autocast():
                self.figures = self.validated()
            if self.figures[self.chosen_by] > self.best:
                self.best = self.figures[self.chosen_by]
                self.keep(self.folder / "best.safetensors")
            self.keep(self.folder / "last.safetensors")
        row = {"epoch": epoch, "step": self.step, f"{self.unit}_per_s": round(speed, 1)}
        row["lr"] = self.optimizers[0].param_groups[0]["lr"]
        self.log.add({**row, **{f"loss_{n}": v for n, v in means.items()}, **self.figures})
        self._sums = {}
        self._save()

    def _save(self) -> None:
        if not self.fabric.is_global_zero:
            return
        about = {
            "fingerprint": self.fingerprint,
            "step": self.step,
            "best": self.best,
            "figures": self.figures,
            "sums": self._sums,
        }
        tensors = pack_state(self.plain_model, self.average, self.optimizers)
        write_tensors(self.folder / "state.safetensors", tensors, about)

    def _resume(self) -> None:
        path = self.folder / "state.safetensors"
        if not path.exists():
            return
        tensors, about = read_tensors(path)
        if about.get("fingerprint") != self.fingerprint:
            raise InputError(path, "belongs to a run with other settings or data", "choose another --out")
        unpack_state(tensors, self.plain_model, self.average, self.optimizers)
        saved: dict[str, Any] = about
        self.step, self.best = saved["step"], saved["best"]
        self.figures, self._sums = saved["figures"], saved["sums"]


def moving_average(
    decay: float, steps: Callable[[], int]
) -> Callable[[Sequence[Tensor], Sequence[Tensor], Tensor | int], None]:
    """Exponential moving average that forgets its beginning: after n ``steps`` it keeps at most (1 + n) / (10 + n)."""

    @torch.no_grad()
    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], _: Tensor | int) -> None:
        n = steps()  # the average's own count lies on the accelerator
        share = 1 - min(decay, (1 + n) / (10 + n))
        torch._foreach_lerp_(list(averaged), list(current), share)

    return update


def step_seed(seed: int, step: int) -> int:
    """A seed for torch of its own for every (run, step)."""
    digest = hashlib.sha256(f"{seed}:{step}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
