"""The training loop, killable and resumable at any moment; subclasses say what is trained.

A step's randomness (draws, augmentation, dropout) is a function of the seed and the step's number alone, and the state
on disk holds everything that steps change. So a run that was killed ends with the same weights, bit for bit, as one
that was not.
"""

import csv
import hashlib
import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from playahead.io.errors import InputError, NonFiniteLossError
from playahead.io.files import atomic_write
from playahead.io.progress import Progress, Show, quiet
from playahead.io.settings import check_choices, check_counts
from playahead.io.tensors import read_tensors, write_tensors
from playahead.paper.schedule import learning_rate
from playahead.training.ranks import make_fabric
from playahead.variants.config import OptimConfig
from playahead.variants.losses import build_optimizers

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from tensorboardX import SummaryWriter


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """Settings of every training run.

    Attributes:
        optim: optimiser and schedule.
        seed: seed of everything random.
        epochs: number of epochs.
        steps_per_epoch: steps in an epoch.
        average_decay: decay of the exponential moving average that is validated and kept.
        precision: precision of lightning-fabric: "bf16-mixed" (P) or "32-true".
        device: cpu, cuda, cuda:1, mps, or auto.
        devices: number of devices of that kind, each with its share of every batch: a run sees as many examples on
            several as on one.
        deterministic: use only algorithms that give the same bits every time on an accelerator, so that a resumed run
            does too (slower); on a CPU they always do.
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
        check_choices(self)
        check_counts(self, "epochs", "steps_per_epoch", "validate_every", "save_every", "devices")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"{type(self).__name__}.seed", f"{self.seed} is not in 0..2^63 - 1")
        if not 0 <= self.average_decay < 1:
            raise InputError(f"{type(self).__name__}.average_decay", f"{self.average_decay} is not in [0, 1)")

    def require_shares(self, name: str, parts: int = 1) -> None:
        """Refuse a batch that cannot be shared evenly: its mean gradient would weigh some examples more.

        Args:
            name: setting that says how much a step draws.
            parts: number of parts in which each device's share goes through.
        """
        batch, shares = getattr(self, name), self.devices * parts
        if batch % shares:
            by = " times ".join([f"{self.devices} devices"] * (self.devices > 1) + [f"{parts} parts"] * (parts > 1))
            raise InputError(
                f"{type(self).__name__}.{name}", f"{batch} cannot be shared evenly by {by}", f"a multiple of {shares}"
            )

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.epochs * self.steps_per_epoch


def fingerprint(settings: object, data: object) -> str:
    """Digest of settings and data, both as JSON can hold them: a saved state belongs to one of them."""
    return hashlib.sha256(json.dumps([settings, data], sort_keys=True).encode()).hexdigest()[:16]


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
        """Name of the figure of ``validated`` that chooses the best checkpoint."""
        return "map"

    @property
    @abstractmethod
    def per_step(self) -> int:
        """Number of units in a step, on all devices."""

    def share_of(self, batch: int) -> int:
        """Number of units that this device draws of a step's batch."""
        return batch // self.fabric.world_size

    @abstractmethod
    def losses(self, rng: np.random.Generator) -> tuple[dict[str, Tensor], Sequence[str]]:
        """Losses of this device's share of a batch, their weighted sum ``"total"``, and the names of what was drawn."""

    def backward(self, rng: np.random.Generator) -> tuple[dict[str, Tensor], Sequence[str]]:
        """Compute gradients of ``losses``; returns their values."""
        losses, names = self.losses(rng)
        self.fabric.backward(losses["total"])
        return losses, names

    @abstractmethod
    def validated(self) -> dict[str, float]:
        """Figures of the averaged model; ``chosen_by`` names the one that chooses the best checkpoint."""

    @abstractmethod
    def keep(self, path: Path) -> None:
        """Write the averaged model."""

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
        validated = f", validation {self.figures[self.chosen_by]:.2f}" if self.figures else ""
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
        values = dict(zip(losses, read, strict=True))
        if not math.isfinite(values["total"]):
            raise self.broken(f"the loss, {values},", names)
        if not math.isfinite(norm):
            raise self.broken("the gradient", names)
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.update_parameters(self.plain_model)
        return values

    def broken(self, what: str, names: Sequence[str]) -> NonFiniteLossError:
        """Build the error that names a batch whose numbers are not finite."""
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
        about = {"fingerprint": self.fingerprint, "step": self.step, "best": self.best}
        about |= {"figures": self.figures, "sums": self._sums}
        tensors = pack_state(self.plain_model, self.average, self.optimizers)
        write_tensors(self.folder / "state.safetensors", tensors, about)

    def _resume(self) -> None:
        path = self.folder / "state.safetensors"
        if not path.exists():
            return
        tensors, about = read_tensors(path)
        if about.get("fingerprint") != self.fingerprint:
            raise InputError(path, "belongs to a run with other settings or data", "choose another folder")
        unpack_state(tensors, self.plain_model, self.average, self.optimizers)
        self.step, self.best, self.figures, self._sums = (about[n] for n in ("step", "best", "figures", "sums"))


def moving_average(
    decay: float, steps: Callable[[], int]
) -> Callable[[Sequence[Tensor], Sequence[Tensor], Tensor | int], None]:
    """Exponential moving average that forgets its beginning: its decay is (1 + n) / (10 + n) at most, after n steps."""

    @torch.no_grad()
    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], _: Tensor | int) -> None:
        n = steps()  # the average's own count lies on the accelerator
        share = 1 - min(decay, (1 + n) / (10 + n))
        torch._foreach_lerp_(list(averaged), list(current), share)

    return update


def step_seed(seed: int, step: int) -> int:
    """Seed of torch for a step of a run."""
    digest = hashlib.sha256(f"{seed}:{step}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def pack_state(model: nn.Module, average: nn.Module, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
    """Flat names of everything that a step changes: weights, their average, the optimisers' moments."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.state_dict().items()}
    for n, optimizer in enumerate(optimizers):
        for index, moments in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{n}.{index}.{name}": value for name, value in moments.items()}
    return tensors


def unpack_state(
    tensors: Mapping[str, Tensor], model: nn.Module, average: nn.Module, optimizers: Sequence[Optimizer]
) -> None:
    """Put back the tensors of ``pack_state``."""
    model.load_state_dict(_under(tensors, "model."))
    average.load_state_dict(_under(tensors, "average."))
    for n, optimizer in enumerate(optimizers):
        state = {**optimizer.state_dict(), "state": {}}
        for name, value in _under(tensors, f"optimizer.{n}.").items():
            index, moment = name.split(".")
            state["state"].setdefault(int(index), {})[moment] = value
        optimizer.load_state_dict(state)
        for parameter, held in optimizer.state.items():
            for name, moment in held.items():
                if moment.shape == parameter.shape:  # fused AdamW walks both in memory order: they must lie alike
                    held[name] = torch.empty_like(parameter, dtype=moment.dtype).copy_(moment)


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): torch.clone(v) for n, v in tensors.items() if n.startswith(prefix)}


class RunLog:
    """``log.csv`` and ``tensorboard/`` in a run's folder; rows that a resumed run makes again replace the old ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._board: SummaryWriter | None = None  # one a process: a resumed run cuts off the rows that it makes again

    def add(self, row: Mapping[str, float]) -> None:
        """Add an epoch's figures, ``"step"`` among them."""
        path = self.folder / "log.csv"
        rows: list[Mapping[str, object]] = []
        if path.exists():
            with path.open(newline="") as file:
                rows = [old for old in csv.DictReader(file) if int(old["step"]) < row["step"]]
        with atomic_write(path) as part, part.open("w", newline="") as file:
            columns = list(dict.fromkeys([*(name for old in rows for name in old), *row]))
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows([*rows, row])
        if find_spec("tensorboardX") is not None:
            self._add_to_tensorboard(row)

    def close(self) -> None:
        """Flush TensorBoard's file; a later ``add`` opens it again."""
        if self._board is not None:
            self._board.close()
            self._board = None

    def _add_to_tensorboard(self, row: Mapping[str, float]) -> None:
        from tensorboardX import SummaryWriter

        step = int(row["step"])
        if self._board is None:
            self._board = SummaryWriter(str(self.folder / "tensorboard"), purge_step=step)
        for name, value in row.items():
            self._board.add_scalar(name.replace("loss_", "loss/"), value, step)
        self._board.flush()
