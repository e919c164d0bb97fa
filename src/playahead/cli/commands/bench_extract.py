"""``playahead bench extract``."""

from playahead.cli import terminal
from playahead.lab.bench import FRAMES_ANSWERED, bench_extraction
from playahead.video.input_size import parse_input_size

_PARTS = ("copy_s", "2d_s", "2d_share_of_peak", "3d_s", "3d_share_of_peak", "floor_s")


def command(input_size: str = "416x224", compile: bool = False, json: bool = False) -> None:
    """Measure decoding and encoding of video on this machine, as ratios measured in one run.

    Args:
        input_size: input size of the backbone; 1280x736 is the published one (minutes for the naive way).
        compile: measure torch.compile, too.
        json: one JSON document on standard output.
    """
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
