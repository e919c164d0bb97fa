"""Training end to end: frames to anticipations, as a whole."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import update_bn

from playahead.datasets.evaluation_set import EvaluationSet
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.lab.faantra.examples import FrameExamples
from playahead.lab.faantra.network import EndToEnd, EndToEndModelConfig
from playahead.lab.faantra.weights import KIND
from playahead.paper.sampling import inverse_frequency
from playahead.training.loop import Loop, LoopConfig, fingerprint, step_seed
from playahead.training.run import validate
from playahead.variants.config import CriterionConfig
from playahead.variants.losses import build_criterion

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_REFRESH_BATCHES = 20


@dataclass(frozen=True, kw_only=True)
class EndToEndConfig(LoopConfig):
    """One run: the loop's settings, and these.

    Attributes:
        model, criterion: what is trained, on which losses.
        batch: examples in a step.
        validation_clips: clips that are scored while training, spread over the split.
    """

    model: EndToEndModelConfig = field(default_factory=EndToEndModelConfig)
    criterion: CriterionConfig = field(default_factory=CriterionConfig)
    batch: int = 8
    validation_clips: int = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("batch", "validation_clips"):
            if getattr(self, name) < 1:
                raise InputError(f"train.{name}", f"{getattr(self, name)} is below 1")
        self.require_shares("batch")


class EndToEndTrainer(Loop):
    """A frame encoder and an anticipator, trained as one."""

    unit = "examples"

    def __init__(
        self,
        config: EndToEndConfig,
        examples: FrameExamples,
        validation: EvaluationSet,
        folder: Path,
        fabric: "Fabric | None" = None,
    ) -> None:
        self.config, self.examples, self.validation = config, examples, validation
        torch.manual_seed(step_seed(config.seed, -1))
        known = fingerprint(asdict(config), examples.digest)
        super().__init__(config, EndToEnd(config.model), folder, known, fabric)
        weight_C = inverse_frequency(examples.counts_C)
        self.criterion = build_criterion(config.criterion, config.model.anticipator.head, weight_C, self.fabric.device)

    @property
    def per_step(self) -> int:
        """Examples in a step."""
        return self.config.batch

    def losses(self, rng: np.random.Generator) -> tuple[dict[str, Tensor], Sequence[str]]:
        """Of examples drawn by ``rng``."""
        frames_BTHW, targets, names = self.examples.batch(self.share_of(self.config.batch), rng)
        output = self.model(frames_BTHW.to(self.fabric.device, non_blocking=True))
        try:
            return self.criterion(output, [(1.0, targets)]), names
        except FloatingPointError as reason:
            raise self.broken(str(reason), names) from None

    def validated(self) -> dict[str, float]:
        """What the validation set says of the averaged model."""
        update_bn(self._refreshing_batches(), self.averaged_model)  # averaged statistics are far off (docs/log.md)
        return validate(Predictor(self.averaged_model, {"train": asdict(self.config)}), self.validation)

    def _refreshing_batches(self) -> Iterator[Tensor]:
        for index in range(_REFRESH_BATCHES):
            rng = np.random.default_rng([self.config.seed, self.step, index])
            yield self.examples.batch(self.config.batch, rng)[0].to(self.fabric.device)

    @property
    def averaged_model(self) -> EndToEnd:
        """The moving average of the weights, as a model."""
        return cast(EndToEnd, self.average.module)

    def keep(self, path: Path) -> None:
        """The averaged model, with the whole configuration."""
        about = {"kind": KIND, "train": asdict(self.config), "step": self.step}
        Predictor(self.averaged_model, about).save(path)
