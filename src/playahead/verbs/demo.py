"""``playahead demo``: the whole road on simulated plays, in a couple of minutes."""

import time
from dataclasses import replace
from pathlib import Path

from playahead.decoding.anticipations import anticipations_of
from playahead.decoding.decoder import decoder_of
from playahead.domain.time import format_clock, format_duration
from playahead.evaluation.official import benchmark_average, count_detections
from playahead.learning.checkpoint import load_model
from playahead.learning.inference import join_readings
from playahead.learning.matches import FeedMatches
from playahead.recipes import demo as demo_recipe
from playahead.sources.feed_tables import read_split
from playahead.submission.check import check_submission
from playahead.submission.write import write_submission
from playahead.verbs import show
from playahead.verbs.simulate import simulate
from playahead.verbs.train import run_feed
from playahead.windows.dataset import FeedWindows

_MATCHES = 18


def demo(out: Path = Path("playahead-demo"), seed: int = 0, epochs: int | None = None) -> None:
    """Simulate matches, train a small model, score it on a match it has not seen, write a submission.

    Args:
        out: folder for everything made; run again after an interruption to go on.
        seed: of everything random.
        epochs: instead of the recipe's 4, to make it shorter or longer.
    """
    started = time.monotonic()
    show.errors.print(f"1/4  simulating {_MATCHES} matches (plays only; nothing here is a football result)")
    simulate(out / "data", matches=_MATCHES, seed=seed)
    show.errors.print("2/4  training the paper's model, small")
    recipe = demo_recipe()
    config = replace(recipe, seed=seed, epochs=recipe.epochs if epochs is None else epochs)
    windows = FeedWindows(read_split(out / "data", "train"), config.observations)
    validation = FeedMatches(read_split(out / "data", "val"))
    weights = run_feed(config, windows, validation, sample_matches=1, out=out / "run")
    show.errors.print("3/4  anticipating the held-out match")
    _score(out, weights)
    show.errors.print(f"done in {format_duration(time.monotonic() - started)}")


def _score(out: Path, weights: Path) -> None:
    model, about = load_model(weights)
    decoder = decoder_of(about, "marginal")
    test = FeedMatches(read_split(out / "data", "test"))
    readings = join_readings(test.read(model))
    scores_ORV = decoder.scores(readings)
    counts = count_detections(test.table(scores_ORV))
    show.errors.print("4/4  writing a submission and checking it")
    listed = anticipations_of(scores_ORV)
    names = [f"clip_{n}" for n in range(1, len(listed) + 1)]
    results, archive = write_submission(out / "submission", dict(zip(names, listed, strict=True)))
    problems = check_submission(archive, names)

    console = show.out()
    console.print(show.score_table(counts, f"simulated held-out match, {len(test):,} windows, average precision"))
    average = 100 * benchmark_average(counts)
    console.print(f"average of the six tolerances: {average:.2f} (official metric; simulated plays, not football)")
    _print_one_moment(test, decoder.probabilities(readings))
    rows = [
        ("weights", str(weights)),
        ("training log", str(out / "run" / "log.csv")),
        ("submission", f"{archive} ({'no problems found' if not problems else problems[0]})"),
        ("its JSON", str(results)),
        ("simulated matches", str(out / "data")),
    ]
    console.print(show.plain_table("files", ("what", "where"), rows))


def _print_one_moment(test: FeedMatches, probabilities_ORV: object) -> None:
    """The window that the model is surest about, as a person would read it."""
    best = int(probabilities_ORV[:, :, 1:].max(axis=(1, 2)).argmax())  # type: ignore[index]
    records = anticipations_of(probabilities_ORV[best : best + 1], least=0.2)[0]  # type: ignore[index]
    index, half = best, 0
    while index >= len(test.end_ms[half]):
        index, half = index - len(test.end_ms[half]), half + 1
    moment = format_clock(int(test.end_ms[half][index]))
    said = ", ".join(f"{str(a.action).lower()} in {a.offset_ms / 1000:.1f} s ({a.confidence:.0%})" for a in records)
    show.out().print(f"for example, at {moment} of half {test.halves[half].half}: {said}")
