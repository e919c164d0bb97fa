"""A tiny anticipator and a few of its training steps, by formula: what ``golden.npz`` was made from.

Weights, features and events come from NumPy's generator, and dropout from ``torch.rand``, so that every CPU computes
the same function up to float32 rounding. ``python -m tests.paper.golden`` writes the file anew, which is only right
where the paper's model is meant to change.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from playahead.datasets.examples import Batch, padded_targets
from playahead.datasets.slicing import Following
from playahead.evaluation.frames import ALL_CLASSES
from playahead.paper.sampling import rare_factors
from playahead.training.trainer import TrainConfig, Trainer
from playahead.variants.config import AnticipatorConfig, OptimConfig
from playahead.variants.model import build

GOLDEN = Path(__file__).with_name("golden.npz")
WINDOWS, SNIPPETS, FEATURES = 7, 9, 6
STEPS = 6
MODEL = AnticipatorConfig(
    feature_dim=FEATURES,
    n_snippets=SNIPPETS,
    d_model=8,
    heads=2,
    ffn_dim=12,
    dropout=0.2,
    drop_path=0.3,
    summaries=2,
    decoder_layers=2,
    slots=4,
    bins=5,
)
RUN = TrainConfig(
    model=MODEL,
    # Warm-up, a cycle of one epoch, and the start of one of two: every part of the schedule within six steps.
    optim=OptimConfig(lr=1e-3, weight_decay=0.3, warmup_epochs=1.0, restart_epochs=1.0, restart_factor=2),
    epochs=3,
    steps_per_epoch=2,
    sequences=4,
    examples=2,
    average_decay=0.6,
    precision="32-true",
    device="cpu",
    validate_every=3,
    augment=False,
    decoding="paper",
)
PARTS = ("encoder", "memory", "decoder", "heads", "observer")
_NOISE = ("key_value.bias",)
"""Their gradient is 0 but for rounding, which AdamW blows up to whole steps: softmax ignores what all keys share."""


def fill(model: nn.Module, seed: int) -> None:
    """Weights by formula, in place: matrices as wide as Xavier's, vectors about their usual value."""
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for name, value in sorted(model.named_parameters()):
            drawn = rng.standard_normal(tuple(value.shape)).astype(np.float32)
            wide = drawn / np.sqrt(value.shape[-1]) if value.ndim > 1 else 0.3 * drawn
            is_scale = value.ndim == 1 and "norm" in name and name.endswith("weight")
            value.copy_(torch.from_numpy(wide + 1 if is_scale else wide))


class Dropout(nn.Dropout):
    """Dropout whose mask is the same on every kind of CPU."""

    def forward(self, input: Tensor) -> Tensor:
        """Zero with probability p, while training."""
        if not self.training or not self.p:
            return input
        return input * ((torch.rand(input.shape) >= self.p) / (1 - self.p))


@contextmanager
def portable_dropout() -> Iterator[None]:
    """Models made inside drop what ``Dropout`` does."""
    before, nn.Dropout = nn.Dropout, Dropout
    try:
        yield
    finally:
        nn.Dropout = before


class Drawn:
    """Fourteen sequences of two examples with 0 to 4 events each (a ``datasets.batch.Examples``)."""

    feature_dim, classes, digest = FEATURES, ALL_CLASSES, "golden"
    n_examples = 28

    def __init__(self) -> None:
        rng = np.random.default_rng(5)
        self.features = rng.standard_normal((14, WINDOWS, SNIPPETS, FEATURES)).astype(np.float32)
        self.presence = (rng.random((14, WINDOWS, SNIPPETS, 10)) < 0.1).astype(np.float32)
        # Mostly passes, and of each rare class some: so weights differ by class, and draws by sequence. No class twice
        # in an example: two slots on one side of two such events cost the same either way, and rounding would decide.
        often = np.array([8, 4, 2, 1, 1, 1, 1, 1, 1, 2]) / 22
        self.events = []
        for _ in range(14):
            class_OE = np.stack([rng.choice(10, 4, replace=False, p=often) for _ in range(2)])
            class_OE[np.arange(4) >= rng.integers(0, 5, (2, 1))] = -1
            visible_OE = np.ones(class_OE.shape, bool)
            self.events.append(Following(class_OE, rng.random((2, 4)).astype(np.float32), visible_OE, class_OE))
        every = np.concatenate([found.class_OE for found in self.events])
        self.counts_C = np.bincount(every[every >= 0], minlength=10)
        self.rare_weight_A = rare_factors(every).reshape(14, 2).mean(axis=1)

    def batch(self, anchors: NDArray[np.integer], rng: np.random.Generator) -> Batch:
        """The sequences at these anchors, as they are."""
        del rng
        targets = padded_targets([self.events[a] for a in anchors], torch.from_numpy(self.presence[anchors]))
        return Batch(torch.from_numpy(self.features[anchors]), targets, [str(a) for a in anchors])


def logits_in_training() -> dict[str, NDArray[np.float32]]:
    """Every logit of the model in train mode, over two sequences of two examples."""
    with portable_dropout():
        model = build(MODEL).train()
    fill(model, 1)
    features = np.random.default_rng(2).standard_normal((2, WINDOWS, SNIPPETS, FEATURES)).astype(np.float32)
    torch.manual_seed(3)
    output = model(torch.from_numpy(features))
    found = {**output.slots._asdict(), "presence_PNC": output.presence_PNC}
    return {f"logits {name}": value.detach().numpy() for name, value in found.items()}


def training_steps(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Six steps of the trainer: losses, and by part of the model the lengths of three vectors after each step.

    They are the clipped gradient, and how far the weights and their moving average have come. Lengths, because AdamW
    blows up the rounding of single gradients.
    """
    with portable_dropout():
        trainer = Trainer(RUN, Drawn(), lambda _: {"map": 0.0}, folder)
    weights, average = dict(trainer.plain_model.named_parameters()), dict(trainer.averaged_model.named_parameters())
    for model in (trainer.plain_model, trainer.averaged_model):
        fill(model, 4)
    begun = {name: value.detach().clone() for name, value in weights.items()}
    rows: dict[str, list[float]] = {}
    for _ in range(STEPS):
        for name, value in trainer._train_step().items():
            rows.setdefault(f"loss {name}", []).append(value)
        trainer.step += 1
        for part in PARTS:
            names = [name for name in weights if name.startswith(part) and not name.endswith(_NOISE)]
            gradients = [grad for name in names if (grad := weights[name].grad) is not None]
            rows.setdefault(f"gradient {part}", []).append(_length(gradients))
            rows.setdefault(f"weights {part}", []).append(_length([weights[n] - begun[n] for n in names]))
            rows.setdefault(f"average {part}", []).append(_length([average[n] - begun[n] for n in names]))
    return {name: np.array(values, np.float32) for name, values in rows.items()}


def _length(vectors: Iterable[Tensor]) -> float:
    return float(torch.cat([vector.detach().double().flatten() for vector in vectors]).norm())


def golden() -> dict[str, NDArray[np.float32]]:
    """All that the file holds."""
    with tempfile.TemporaryDirectory() as folder:
        return {**logits_in_training(), **training_steps(Path(folder))}


if __name__ == "__main__":
    np.savez_compressed(GOLDEN, allow_pickle=False, **golden())
