"""Recipes: named runs. Each is the paper's with changes, for which its docstring gives the reasons."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, overload

from playahead.domain.actions import ACTIONS
from playahead.features.feed import N_FEATURES
from playahead.features.now import MOST_ROWS, NOW_ROWS, n_columns
from playahead.io.errors import InputError
from playahead.training.trainer import TrainConfig
from playahead.variants.config import AnticipatorConfig, CriterionConfig, OptimConfig

if TYPE_CHECKING:
    from playahead.lab.faantra.end_to_end import EndToEndConfig
    from playahead.lab.pretrain import PretrainConfig

_SHORT_RUN = (0.9, 0.98)
"""AdamW's betas for runs of some thousand steps: the second moment forgets in 50 steps, not in 1,000."""


def paper(feature_dim: int = 1280) -> TrainConfig:
    """The paper (docs/paper.md 1.2-1.4) on features of any length (video: 1280); an epoch is 4,587 examples.

    Defaults of the settings are the paper's, except for augmentation and the decoding of the validation.
    """
    return TrainConfig(model=AnticipatorConfig(feature_dim=feature_dim), augment=False, decoding="paper")


def paper_feed() -> TrainConfig:
    """The paper's model and losses on an event feed."""
    return paper(N_FEATURES)


def paper_small() -> TrainConfig:
    """``paper-feed`` at a size that two CPU cores train in minutes; the paper's claims are compared on it.

    Half the width and half the decoder, a batch of four sequences of sixteen examples, one cosine cycle at a higher
    rate. Losses, sampling and mixing are the paper's.
    """
    base = paper_feed()
    return replace(
        base,
        model=replace(base.model, d_model=128, heads=4, ffn_dim=256, decoder_layers=2),
        optim=OptimConfig(lr=6e-4, warmup_epochs=0.5, restart_epochs=None, betas=_SHORT_RUN),
        epochs=6,
        steps_per_epoch=300,
        sequences=4,
        examples=16,
        average_decay=0.997,
        validate_every=3,
    )


def faantra() -> TrainConfig:
    """The organisers' baseline, FAANTRA (arXiv 2504.12021), on the same features, at ``paper-small``'s size.

    As in its paper: the last 10 s (64 frames at 6.25 a second there, 66 steps here) in one row, four layers of
    attention over 15 neighbours with positions of their own, two decoder layers with 8 static queries, actionness times
    class, the first query for the first event, time regressed, steps segmented as the auxiliary task, classes weighted
    by inverse frequency. Ours: pre-LN layers, and the width, optimiser and batch of the others, so that budgets are
    equal.
    """
    base = paper_small()
    return replace(
        base,
        model=replace(
            base.model,
            n_windows=2,
            encoder="steps",
            encoder_layers=4,
            slots=8,
            conditioned=False,
            slot_time="regression",
        ),
        criterion=CriterionConfig(
            pairing="sequential",
            positive_weight=1.0,
            label_smoothing=0.0,
            class_balance=True,
            sigma_bins=0.0,
            observation="segmentation",
            presence_weight=1.0,
        ),
        rare_sampler=False,
        mixup_alpha=0.0,
    )


def futr() -> TrainConfig:
    """FUTR's decoder (arXiv 2205.14022) on FAANTRA's encoder: a query has one softmax of the classes and "nothing".

    Classes weigh equally. Ours: attention over neighbours as in FAANTRA, and times from the end of the observation
    where FUTR adds up durations.
    """
    base = faantra()
    return replace(
        base,
        model=replace(base.model, head="joint"),
        criterion=replace(base.criterion, class_balance=False),
    )


def rulstm() -> TrainConfig:
    """RULSTM's decoder (arXiv 1905.09035) on the paper's encoder and memory: a GRU goes on from where the memory ends.

    Ours: it answers for every frame of the 5 s, each class on its own, where RULSTM has one action a frame; neither
    sampler nor MixUp.
    """
    base = paper_small()
    model = replace(base.model, head="unrolled")
    return replace(base, model=model, rare_sampler=False, mixup_alpha=0.0, decoding="marginal")


def faantra_frames() -> "EndToEndConfig":
    """FAANTRA end to end on video, at a size that two CPU cores train: RegNetY-200MF on small pictures."""
    from playahead.lab.faantra.end_to_end import EndToEndConfig
    from playahead.lab.faantra.network import EndToEndModelConfig

    steps = faantra()
    model = EndToEndModelConfig(encoder="regnety_002", input_size="160x96", anticipator=steps.model)
    return EndToEndConfig(
        model=model,
        criterion=steps.criterion,
        optim=OptimConfig(lr=1e-3, weight_decay=0.05, warmup_epochs=1.0, restart_epochs=None, betas=_SHORT_RUN),
        epochs=20,
        steps_per_epoch=250,
        validate_every=4,
        save_every=50,
    )


def feed() -> TrainConfig:
    """An event feed at one moment, with memory of its latest 32 rows: the packaged model.

    Every moment is described by what is known now (``features/now.py``). An MLP makes a state of it, which attends to
    the rows, and one rate for every frame and class comes out of both. Rows are shown as a viewer of the moment would
    know them (``features/hindsight.py``), and most sequences are observed through a source worse than the feed. A
    moment costs little, so a batch holds 1,024 of them: sixteen sequences of 64. Muon, one cosine cycle; no dropout, no
    MixUp and no rare-class sampler, as a feed gives endless examples and marginal decoding needs probabilities.
    """
    model = AnticipatorConfig(
        feature_dim=n_columns(MOST_ROWS),
        n_windows=1,
        n_snippets=1,
        summaries=1,
        d_model=512,
        ffn_dim=240,
        dropout=0.0,
        encoder="rows",
        head="rates",
        auxiliary="off",
    )
    return TrainConfig(
        model=model,
        optim=OptimConfig(kind="muon", lr=2.5e-3, warmup_epochs=1.0, restart_epochs=None, betas=_SHORT_RUN),
        epochs=80,
        steps_per_epoch=200,
        sequences=16,
        examples=64,
        rare_sampler=False,
        degraded=0.5,
        mixup_alpha=0.0,
        hindsight=False,
        average_decay=0.997,
        validate_every=10,
    )


def now() -> TrainConfig:
    """``feed`` without memory of more than four rows: the baseline that every model of a feed must beat."""
    base = feed()
    return replace(base, model=replace(base.model, encoder="now", feature_dim=n_columns(NOW_ROWS)))


def feed_slots() -> TrainConfig:
    """The paper's windows and slots on an event feed, read by marginal decoding, sized for two CPU cores.

    Its differences from the paper: half the width and half the decoder, a third encoder layer; no dropout and no
    MixUp (a feed gives endless windows, so there is nothing to regularise); no rare-class sampler, objectness weight
    1 and no label smoothing (marginal decoding needs probabilities); the intensity likelihood, with a fifth of the
    matched losses beside it; the last window's tokens in the memory; no observation head (a feed's input already says
    what happened); Muon, which is ahead at equal steps (docs/log.md); one cosine cycle; batches of sixteen sequences
    of eight examples, so that a window is encoded twice and not six times; and most sequences observed through a
    source worse than the feed, so that one model serves all of them.
    """
    base = paper_small()
    return replace(
        base,
        model=replace(base.model, dropout=0.0, encoder_layers=3, memory_tail=True, auxiliary="off"),
        criterion=CriterionConfig(positive_weight=1.0, label_smoothing=0.0, intensity_weight=1.0, matched_weight=0.2),
        optim=replace(base.optim, kind="muon", lr=2.5e-3),
        epochs=42,
        sequences=16,
        examples=8,
        rare_sampler=False,
        degraded=0.6,
        augment=True,
        mixup_alpha=0.0,
        decoding="marginal",
        validate_every=9,
    )


def video() -> TrainConfig:
    """The paper on stored features of video."""
    return paper()


def video_small() -> TrainConfig:
    """Stored features of few and short matches, sized for two CPU cores.

    ``feed-slots`` with dropout and MixUp, which keep a model from memorising a small set of videos, with the
    observation head on every window, which teaches it to read the features, and with one example in a sequence.
    """
    base = feed_slots()
    return replace(
        base,
        model=replace(base.model, dropout=0.2, auxiliary="all", encoder_layers=2),
        optim=OptimConfig(lr=1e-3, weight_decay=0.05, warmup_epochs=1.0, restart_epochs=None, betas=_SHORT_RUN),
        degraded=0.0,
        epochs=12,
        steps_per_epoch=150,
        sequences=32,
        examples=1,
        average_decay=0.99,
        mixup_alpha=0.2,
        validate_every=3,
    )


def demo() -> TrainConfig:
    """A minute of training on simulated broadcasts: it shows the pipeline, not a result."""
    base = video_small()
    return replace(
        base, model=replace(base.model, d_model=64, heads=2, ffn_dim=128, slots=12), epochs=3, steps_per_epoch=80
    )


def backbone() -> "PretrainConfig":
    """The published spotting network at its published size, on one card of 24 GB.

    The 16 snippets of a step go through four at a time, because their activations take about 12 GiB, and those of 16
    about 50.
    """
    from playahead.lab.pretrain import PretrainConfig

    return PretrainConfig(
        imagenet=True,
        accumulate=4,
        optim=OptimConfig(lr=1e-3, warmup_epochs=1.0, restart_epochs=None, betas=_SHORT_RUN),
        epochs=20,
        steps_per_epoch=500,
        validate_every=5,
    )


def backbone_small() -> "PretrainConfig":
    """A network for small pictures, which two CPU cores train in minutes: RegNetX-200MF to 1/16, two 3D blocks."""
    from playahead.backbone.network import BackboneConfig

    network = BackboneConfig(
        encoder="regnetx_002", stage=3, maps=64, blocks_3d=2, squeeze=8, projection=64, classes=len(ACTIONS)
    )
    return replace(
        backbone(),
        imagenet=False,
        accumulate=1,
        backbone=network,
        input_size="224x128",
        optim=OptimConfig(lr=2e-3, warmup_epochs=0.5, restart_epochs=None, betas=_SHORT_RUN),
        average_decay=0.995,
    )


_MADE = {
    "TrainConfig": (demo, faantra, feed, feed_slots, futr, now, paper_feed, paper_small, rulstm, video, video_small),
    "PretrainConfig": (backbone, backbone_small),
    "EndToEndConfig": (faantra_frames,),
}
RECIPES: dict[str, dict[str, Callable[[], Any]]] = {
    kind: {make.__name__.replace("_", "-"): make for make in made} for kind, made in _MADE.items()
}
"""Recipes by the class of their settings; those of video are imported where they are made."""


Config = TypeVar("Config")


@overload
def recipe(name: str) -> TrainConfig: ...
@overload
def recipe(name: str, kind: type[Config]) -> Config: ...
def recipe(name: str, kind: type = TrainConfig) -> Any:
    """Find the recipe of this name that makes settings of this kind: of an anticipator by default."""
    of_kind = RECIPES[kind.__name__]
    if name not in of_kind:
        raise InputError("recipe", f"{name!r} is not one of {', '.join(of_kind)}")
    return of_kind[name]()
