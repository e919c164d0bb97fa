"""``playahead bench``: core, extract and live."""

from pathlib import Path

from playahead.cli import terminal


def core(steps: int = 8, json: bool = False) -> None:
    """Measure training and scoring on this machine, as ratios measured in one run.

    Args:
        steps: training steps to time for each model.
        json: one JSON document on standard output.
    """
    from playahead.lab.bench import BENCHMARK_TEST_CLIPS, EPOCH_EXAMPLES, bench_core

    results = bench_core(steps)
    if json:
        terminal.print_json(results)
        return
    console = terminal.out()
    console.print(terminal.machine_line(results))
    rows = [
        (name, f"{r['examples_per_s']:.0f}", f"{r['seconds_per_epoch']:.1f}", f"{r['parameters']:,}")
        for name, r in results["training"].items()
    ]
    columns = ("training, bfloat16", "examples/s", f"s per {EPOCH_EXAMPLES:,} examples", "parameters")
    console.print(terminal.plain_table("", columns, rows))
    scoring = results["scoring"]
    upstream = (
        f"{scoring['soccernet_s']:.2f} s for SoccerNet 0.2.0: {scoring['times_faster']:.0f} times faster"
        if scoring["soccernet_s"]
        else "SoccerNet not installed (make oracle)"
    )
    console.print(
        f"scoring {BENCHMARK_TEST_CLIPS:,} clips, all eight metrics: {scoring['playahead_s']:.3f} s; {upstream}"
    )


_PARTS = ("copy_s", "2d_s", "2d_share_of_peak", "3d_s", "3d_share_of_peak", "floor_s")


def extract(input_size: str = "416x224", compile: bool = False, json: bool = False) -> None:
    """Measure decoding and encoding of video on this machine, as ratios measured in one run.

    Args:
        input_size: input size of the backbone; 1280x736 is the published one (minutes for the naive way).
        compile: measure torch.compile, too.
        json: one JSON document on standard output.
    """
    from playahead.lab.bench import (
        FRAMES_ANSWERED,
        bench_extraction,  # needs the extra "video"
    )
    from playahead.video.input_size import parse_input_size

    results = bench_extraction(parse_input_size(input_size), compile)
    if json:
        terminal.print_json(results)
        return
    console = terminal.out()
    decode, parts = results["decode"], results["parts"]
    width, height = results["input_size"]
    console.print(f"input size {width} x {height}; {terminal.machine_line(results)}")
    rows = [(n, r["s"], r["times_faster"], f"{r['relative_error']:.1e}") for n, r in results["window"].items()]
    console.print(terminal.plain_table("", ("a 5-s window", "s", "times faster", "relative error"), rows))
    answers = {name: row for name, row in results["every_frame"].items() if name != "frames"}
    rows = [(name, row["s"], row["times_faster"]) for name, row in answers.items()]
    columns = (f"an answer at each of {FRAMES_ANSWERED} frames", "s", "times faster")
    console.print(terminal.plain_table("", columns, rows))
    rows = [(precision, *(parts[precision][key] for key in _PARTS)) for precision in results["matmul_gflops"]]
    columns = ("where a window's time goes", "copy s", "2D s", "of peak", "3D s", "of peak", "floor s")
    console.print(terminal.plain_table("", columns, rows))
    console.print(
        f"{parts['gflop_2d']} + {parts['gflop_3d']} GFLOP a window; naming it by its pixels {parts['hash_s']} s; "
        f"decoding 720p {decode['frames_per_s_720p']:.0f} frames/s, {decode['s_per_window']} s a window"
    )


def live(
    sessions: tuple[int, ...] = (1, 4, 16, 64),
    feed_minutes: int = 5,
    video_minutes: int = 1,
    weights: Path | None = None,
    json: bool = False,
) -> None:
    """Measure how many live sessions one worker carries: latency, time at work and memory against their number.

    Args:
        sessions: numbers of sessions, as [1,4,16,64]; those beyond the first that one worker cannot carry are left out.
        feed_minutes: minutes of each match's feed; 0 leaves feeds out.
        video_minutes: minutes of each video, noise at the packaged backbone's size; 0 leaves video out.
        weights: model of the feed, or a folder that ``export`` wrote; the packaged model if not given.
        json: one JSON document on standard output.
    """
    from playahead.lab.capacity import bench_live

    with terminal.progress() as show:
        results = bench_live(sessions, feed_minutes, video_minutes, weights, show)
    if json:
        terminal.print_json(results)
        return
    for kind, found in results.items():
        rows = [
            (
                f"{row['sessions']:,}",
                *(f"{row[name]:,.1f}" for name in ("average_ms", "p90_ms", "p99_ms")),
                f"{row['busy']:.1%}",
                f"{row['resident_mib']:,.0f}",
            )
            for row in found
        ]
        columns = ("sessions", "average, ms", "p90, ms", "p99, ms", "busy", "memory, MiB")
        terminal.print_table(f"{kind}: from the end of a second to its answer, one worker", columns, rows)
