"""``playahead bench core``."""

from playahead.cli import terminal
from playahead.lab.bench import BENCHMARK_TEST_CLIPS, EPOCH_EXAMPLES, bench_core


def command(steps: int = 8, json: bool = False) -> None:
    """Measure training and scoring on this machine, as ratios measured in one run.

    Args:
        steps: training steps to time for each model.
        json: one JSON document on standard output.
    """
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
