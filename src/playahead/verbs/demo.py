"""``playahead demo``: the whole road on simulated broadcasts, in a few minutes."""

import time
from dataclasses import replace
from pathlib import Path

from playahead.decoding.decoder import decoder_of
from playahead.domain.time import format_duration
from playahead.evaluation.official import benchmark_average, count_detections
from playahead.features.store import FeatureStore
from playahead.learning.checkpoint import load_video_model
from playahead.learning.inference import join_readings
from playahead.learning.matches import RecordedMatches
from playahead.recipes import demo as demo_recipe
from playahead.verbs import show
from playahead.verbs.extract import ExtractConfig, extract
from playahead.verbs.formats import write_answer
from playahead.verbs.predict import PredictConfig
from playahead.verbs.predict_video import predict_video
from playahead.verbs.recordings import recordings_of
from playahead.verbs.simulate import simulate
from playahead.verbs.train import run_video

_MATCHES = 12
_MINUTES = 5.0
_PICTURE = (224, 124)
_SHOWN = ("1:00", "1:40")


def demo(out: Path = Path("playahead-demo"), seed: int = 7, epochs: int | None = None) -> None:
    """Simulate broadcasts, extract, train a small model, score it on a match it has not seen, show it on video.

    Args:
        out: folder for everything made; run again after an interruption to go on.
        seed: of everything random.
        epochs: instead of the recipe's, to make it shorter or longer.
    """
    started = time.monotonic()
    show.errors.print(f"1/5  filming {_MATCHES} simulated matches (a test bed: nothing here is a football result)")
    width, height = _PICTURE
    wishes = {"matches": _MATCHES, "minutes": _MINUTES, "halves": 1, "width": width, "height": height, "seed": seed}
    simulate(out / "broadcasts", "bas", video=True, **wishes)  # type: ignore[arg-type]
    show.errors.print("2/5  encoding every window of video once")
    extract(out / "broadcasts", ExtractConfig(), out / "features")
    show.errors.print("3/5  training the paper's model, small, on what was seen")
    recipe = demo_recipe()
    config = replace(recipe, seed=seed, epochs=recipe.epochs if epochs is None else epochs)
    store = FeatureStore(out / "features")
    training, validation, test = (recordings_of(store, out / "broadcasts" / s) for s in ("train", "valid", "test"))
    weights = run_video(config, store, training, validation, out / "run")
    show.errors.print("4/5  anticipating the held-out match")
    matches = RecordedMatches(test)
    model, about = load_video_model(weights, store.facts.weights)
    counts = count_detections(matches.table(decoder_of(about, "marginal").scores(join_readings(matches.read(model)))))
    show.errors.print("5/5  drawing what is expected under its video")
    (video,) = (out / "broadcasts" / "test").rglob("*.mp4")
    asked = PredictConfig(weights=weights, start=_SHOWN[0], end=_SHOWN[1], overlay=out / "ahead.mp4")
    answer = predict_video(video, asked)

    console = show.out()
    write_answer(replace(answer, lines=[line for line in answer.lines if line.observed_until_ms < 66_000]), "table")
    console.print(show.score_table(counts, f"simulated held-out match, {len(matches):,} windows, average precision"))
    average = 100 * benchmark_average(counts)
    console.print(f"average of the six tolerances: {average:.2f} (official metric; simulated broadcasts, not football)")
    rows = [
        ("video with a timeline", str(out / "ahead.mp4")),
        ("weights", str(weights)),
        ("training log", str(out / "run" / "log.csv")),
        ("features", str(out / "features")),
        ("simulated broadcasts", str(out / "broadcasts")),
    ]
    console.print(show.plain_table("files", ("what", "where"), rows))
    show.errors.print(f"done in {format_duration(time.monotonic() - started)}")
