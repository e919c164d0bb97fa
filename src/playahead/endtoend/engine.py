"""Training end to end, and scoring what was trained."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from playahead.decoding.decoder import Decoder
from playahead.decoding.readings import Readings
from playahead.domain.feed import FeedHalf
from playahead.endtoend.films import Film, benchmark_ends, observed_frames
from playahead.endtoend.network import EndToEnd, EndToEndModelConfig
from playahead.endtoend.windows import FrameWindows
from playahead.errors import InputError
from playahead.learning.averaging import refresh_statistics
from playahead.learning.criterion import Criterion, CriterionConfig
from playahead.learning.inference import join_readings, readings_of
from playahead.learning.loop import Loop, require_settings, step_seed
from playahead.learning.matches import Matches
from playahead.learning.optim import OptimConfig
from playahead.model.config import AnticipatorConfig
from playahead.tensorfile import read_tensors, write_tensors
from playahead.video.canvas import Canvas
from playahead.windows.sampling import inverse_frequency

_REFRESH_BATCHES = 20
_READ_TOGETHER = 8


@dataclass(frozen=True)
class EndToEndConfig:
    """One run.

    Attributes:
        model, criterion, optim: what is trained, on what, how.
        seed: of everything random.
        epochs, steps_per_epoch, batch: length of the run.
        average_decay: of the moving average that is validated and kept.
        precision: of lightning-fabric.
        validation_clips: clips that are scored while training, spread over the split.
        validate_every, save_every: epochs, steps.
    """

    model: EndToEndModelConfig = field(default_factory=EndToEndModelConfig)
    criterion: CriterionConfig = field(default_factory=CriterionConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    seed: int = 0
    epochs: int = 20
    steps_per_epoch: int = 250
    batch: int = 8
    average_decay: float = 0.999
    precision: Literal["bf16-mixed", "32-true"] = "bf16-mixed"
    validation_clips: int = 200
    validate_every: int = 4
    save_every: int = 50

    def __post_init__(self) -> None:
        require_settings(self)
        for name in ("batch", "validation_clips"):
            if getattr(self, name) < 1:
                raise InputError(f"train.{name}", f"{getattr(self, name)} is below 1")


class FilmMatches(Matches):
    """Every observation of films that the benchmark scores; ``keep`` keeps decoded frames for the next reading."""

    def __init__(self, films: Sequence[Film], config: EndToEndModelConfig, canvas: Canvas, keep: bool = False) -> None:
        self.films = [film for film in films if len(benchmark_ends(film))]
        halves: list[FeedHalf] = [film.actions for film in self.films]
        super().__init__(halves, [benchmark_ends(film) for film in self.films])
        self._config, self._canvas, self._keep = config, canvas, keep
        self._frames: dict[int, np.ndarray] = {}

    def read(self, model: nn.Module, advance: Callable[[], None] = lambda: None) -> list[Readings]:
        """Readings of each film."""
        device = next(model.parameters()).device
        found = []
        for index, (film, ends) in enumerate(zip(self.films, self.end_ms, strict=True)):
            frames_OTHW = self._frames.get(index)
            if frames_OTHW is None:
                frames_OTHW = observed_frames(film, ends, self._config, self._canvas)
            if self._keep:
                self._frames[index] = frames_OTHW
            parts = torch.from_numpy(frames_OTHW).split(_READ_TOGETHER)
            with torch.inference_mode():
                found.append(join_readings([readings_of(model(part.to(device).float() / 255)) for part in parts]))
            advance()
        return found


class EndToEndTrainer(Loop):
    """Frames to anticipations, trained as a whole."""

    def __init__(self, config: EndToEndConfig, windows: FrameWindows, validation: Matches, folder: Path) -> None:
        self.config, self.windows, self.validation = config, windows, validation
        torch.manual_seed(step_seed(config.seed, -1))
        about = json.dumps([asdict(config), windows.digest], sort_keys=True)
        fingerprint = hashlib.sha256(about.encode()).hexdigest()[:16]
        super().__init__(config, EndToEnd(config.model), folder, fingerprint)
        class_weight_C = torch.from_numpy(inverse_frequency(windows.counts_C)).to(self.fabric.device)
        self.criterion = Criterion(config.criterion, class_weight_C)

    @property
    def per_step(self) -> int:
        """Windows in a step."""
        return self.config.batch

    def losses(self, rng: np.random.Generator) -> tuple[dict[str, Tensor], Sequence[str]]:
        """Of windows drawn by ``rng``."""
        frames_BTHW, targets, names = self.windows.batch(self.config.batch, rng)
        output = self.model(frames_BTHW.to(self.fabric.device))
        return self.criterion(output, targets.to(self.fabric.device)), names

    def validated(self) -> dict[str, float]:
        """What the validation matches say of the averaged model."""
        refresh_statistics(self.averaged_model, self._refreshing_batches())
        return self.validation.validate(self.averaged_model, {"marginal": Decoder()})

    def _refreshing_batches(self) -> Iterator[Tensor]:
        for index in range(_REFRESH_BATCHES):
            rng = np.random.default_rng([self.config.seed, self.step, index])
            yield self.windows.batch(self.config.batch, rng)[0].to(self.fabric.device)

    @property
    def averaged_model(self) -> EndToEnd:
        """The moving average of the weights, as a model."""
        return cast(EndToEnd, self.average.module)

    def keep(self, path: Path) -> None:
        """The averaged model, with the whole configuration."""
        save_end_to_end(path, self.averaged_model, {"train": asdict(self.config), "step": self.step})


def save_end_to_end(path: Path, model: EndToEnd, about: dict[str, object]) -> None:
    """Weights, with what is needed to use them."""
    tensors = {name: value.contiguous() for name, value in model.state_dict().items()}
    write_tensors(path, tensors, {"kind": "end to end", "model": asdict(model.config), **about})


def load_end_to_end(path: Path) -> tuple[EndToEnd, dict[str, Any]]:
    """A model written by ``save_end_to_end``, in evaluation mode, and what is known about it.

    Raises:
        InputError: it is something else.
    """
    tensors, about = read_tensors(path)
    if about.get("kind") != "end to end":
        raise InputError(path, "was not trained end to end", "give features that it was trained on")
    try:
        settings: dict[str, Any] = dict(about["model"])  # type: ignore[call-overload]
        settings |= {"anticipator": AnticipatorConfig(**settings["anticipator"]), "imagenet": False}
        model = EndToEnd(EndToEndModelConfig(**settings))
        model.load_state_dict(tensors)
    except (KeyError, TypeError, RuntimeError) as reason:
        raise InputError(path, f"not a model of this version ({' '.join(str(reason).split())[:200]})") from None
    return model.eval(), about
