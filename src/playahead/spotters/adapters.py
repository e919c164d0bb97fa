"""Which spotters there are: how each is called, what it writes, and what its publisher says of it.

None is imported here, and none is a dependency: opensportslib is under the AGPL. The short programs below run under
the Python of the spotter's own environment.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from playahead.domain.actions import ACTIONS
from playahead.io.errors import InputError

_COMMAND, _SERVER = "command:", "opensportslib:"
_TWELVE = (*map(str, ACTIONS), "FREE KICK", "GOAL")
SOCCERNET_MATCHES = (
    ("leeds united", "west bromwich"),
    ("hull city", "sheffield wednesday"),
    ("brentford", "bristol city"),
    ("blackburn rovers", "nottingham forest"),
    ("middlesbrough", "preston north end"),
    ("stoke city", "huddersfield town"),
    ("reading", "fulham"),
)
"""The labelled matches of SoccerNet Ball Action Spotting, on which all of these were trained or chosen."""


@dataclass(frozen=True, kw_only=True)
class SpotterConfig:
    """An action spotter, and where it is on this machine.

    Attributes:
        spotter: somebody's action spotter to run over a video: opensportslib, opensportslib:http://HOST:8000 (its
            server), ball-action-spotting, t-deed, or 'command:PROGRAM {video} {out}' (playahead spot --help).
        spotter_python: Python of the environment that the spotter is installed in.
        spotter_home: folder of the spotter's repository.
        spotter_weights: its weights or model; those that its publisher recommends if not given.
        spotter_window: seconds of video that it sees after an action; its rows count only so much later. With 0, they
            know a little of what comes next. opensportslib and a command need it.
    """

    spotter: str = ""
    spotter_python: Path | None = None
    spotter_home: Path | None = None
    spotter_weights: str = ""
    spotter_window: float | None = None

    @property
    def server(self) -> str:
        """Address of opensportslib's server; empty for any other spotter."""
        return self.spotter.removeprefix(_SERVER) if self.spotter.startswith(_SERVER) else ""

    def __post_init__(self) -> None:
        for field in fields(SpotterConfig)[1:]:
            if not self.spotter and getattr(self, field.name) != field.default:
                raise InputError(f"SpotterConfig.{field.name}", "is for a spotter", "name one: --spotter")
        if self.spotter_window is not None and not 0 <= self.spotter_window <= 60:
            raise InputError("SpotterConfig.spotter_window", f"{self.spotter_window} is not in 0 to 60 seconds")


@dataclass(frozen=True)
class Spotter:
    """A spotter that can be called.

    Attributes:
        name: what people call it.
        classes: labels that it gives.
        window_s: seconds after an action that it may look at before it reports it; None if that depends on its model.
        published: what its publisher says of its accuracy.
        weights: what it takes if no weights are named.
        needs_python: True if its command is for the Python of its environment.
        needs_home: True if it runs from a clone of its repository.
        install: how to install it, in one line.
        argv: (config, video, file to write) -> its command.
        written: (config, file to write) -> the file that it writes.
        takes_fps: frame rate that it takes every video to have; None if it looks.
        apart_ms: rows of one class closer than this are one action, of which the surest row counts; 0 if the spotter
            has done that itself.
    """

    name: str
    classes: tuple[str, ...]
    window_s: float | None
    published: str
    weights: str
    needs_python: bool
    needs_home: bool
    install: str
    argv: Callable[[SpotterConfig, Path, Path], list[str]]
    written: Callable[[SpotterConfig, Path], Path] = lambda config, out: out  # noqa: ARG005
    takes_fps: float | None = None
    apart_ms: int = 0


_OPENSPORTSLIB = """
import sys
from opensportslib.apis import LocalizationModel
weights, video, out = sys.argv[1:]
model = LocalizationModel(weights=weights)
model.save_predictions(output_path=out, predictions=model.infer(video_path=video, use_wandb=False))
"""
_BALL_ACTION_SPOTTING = """
import json, runpy, sys
from pathlib import Path
home, weights, video, out = map(Path, sys.argv[1:])
sys.path.insert(0, str(home))
import src.constants as places
places.data_dir, places.soccernet_dir = home / "data", home / "data" / "soccernet"
its = runpy.run_path(str(home / "scripts" / "ball_action" / "predict.py"))
folder = its["constants"].experiments_dir / weights / "fold_0"
model = weights if weights.is_file() else its["get_best_model_path"](folder)
if model is None:
    sys.exit(f"no model in {folder}")
predictor = its["MultiDimPredictor"](model, device="cuda:0", tta=its["TTA"])
frames, scores = its["get_raw_predictions"](predictor, video, its["get_video_info"](video)["frame_count"])
found = its["raw_predictions_to_actions"](frames, scores)
entries = [
    {"frame": int(frame), "label": label, "confidence": float(score)}
    for label, (indexes, confidences) in found.items() for frame, score in zip(indexes, confidences)
]
out.write_text(json.dumps({"predictions": entries}))
"""
LEAST_CONFIDENCE = 0.05
"""Rows of low confidence are used by their confidence; far lower ones crowd out what the model can look at."""

SPOTTERS = {
    spotter.name: spotter
    for spotter in (
        Spotter(
            name="opensportslib",
            classes=_TWELVE,
            window_s=None,  # a clip of its model, seen from both ends: clip_len / extract_fps
            published="tight mAP 47.98, loose 58.35 (model card of OSL-loc-snbas-2025-e2e)",
            weights="OpenSportsLab/OSL-loc-snbas-2025-e2e",
            needs_python=True,
            needs_home=False,
            install=(
                "python3.12 -m venv osl && osl/bin/pip install 'opensportslib>=0.3.1'; --spotter-python osl/bin/python"
            ),
            argv=lambda config, video, out: ["-c", _OPENSPORTSLIB, config.spotter_weights, str(video), str(out)],
            apart_ms=500,  # it writes every frame of an action
        ),
        Spotter(
            name="ball-action-spotting",
            classes=("PASS", "DRIVE"),
            window_s=2.4,  # 16 frames at 12.5 a second, the Gaussian filter, and peaks 0.6 s apart
            published="mAP@1 86.47 on the challenge's matches, 80.49 in cross-validation (its README)",
            weights="ball_finetune_long_004",
            needs_python=True,
            needs_home=True,
            install=(
                "git clone https://github.com/lRomul/ball-action-spotting, set it up as its README says; "
                "--spotter-home ball-action-spotting --spotter-python ITS/PYTHON"
            ),
            argv=lambda config, video, out: [
                *("-c", _BALL_ACTION_SPOTTING, str(config.spotter_home), config.spotter_weights, str(video), str(out))
            ],
            takes_fps=25.0,
        ),
        Spotter(
            name="t-deed",
            classes=_TWELVE,
            window_s=9.3,  # 100 frames at 12.5 a second; they move an action by up to 4, and peaks are 12 apart
            published="first of the Ball Action Spotting challenge of 2024 (its README)",
            weights="SoccerNetBall_challenge1",
            needs_python=True,
            needs_home=True,
            install=(
                "git clone https://github.com/arturxe2/T-DEED, set it up as its README says; "
                "--spotter-home T-DEED --spotter-python ITS/PYTHON"
            ),
            argv=lambda config, video, out: [  # noqa: ARG005
                *("inference.py", "--model", config.spotter_weights, "--video_path", str(video)),
                *("--inference_threshold", str(LEAST_CONFIDENCE)),
            ],
            written=lambda config, out: (config.spotter_home or out) / "inference_output" / "results_inference.json",
            takes_fps=25.0,
        ),
    )
}


def find_spotter(config: SpotterConfig) -> Spotter:
    """The spotter that a configuration names.

    Raises:
        InputError: there is none of that name, or something that it needs is not given or not there.
    """
    if config.spotter.startswith(_COMMAND):
        return _any_program(config)
    name = "opensportslib" if config.server else config.spotter.lower()
    if (spotter := SPOTTERS.get(name)) is None:
        fix = f"{', '.join(SPOTTERS)}, or 'command:PROGRAM {{video}} {{out}}'"
        raise InputError("SpotterConfig.spotter", f"there is no spotter {config.spotter!r}", fix)
    needed = [("spotter_python", config.spotter_python)] if spotter.needs_python and not config.server else []
    needed += [("spotter_home", config.spotter_home)] if spotter.needs_home else []
    for name, given in needed:
        if given is None:
            raise InputError(f"SpotterConfig.{name}", f"{spotter.name} needs it", f"to install: {spotter.install}")
        if not given.exists():
            raise InputError(f"SpotterConfig.{name}", f"{given} does not exist", f"to install: {spotter.install}")
    if spotter.window_s is None and config.spotter_window is None:
        what = f"{spotter.name} needs it: how many seconds of video after an action does its model see?"
        fix = "clip_len / extract_fps in the model's config"
        raise InputError("SpotterConfig.spotter_window", what, fix)
    return spotter


def _any_program(config: SpotterConfig) -> Spotter:
    """The program of ``command:``; words as a shell splits them, but no shell runs it."""
    try:
        words = shlex.split(config.spotter.removeprefix(_COMMAND))
    except ValueError as reason:
        raise InputError("SpotterConfig.spotter", f"the command cannot be split into words ({reason})") from None
    text = " ".join(words)
    if "{video}" not in text or "{out}" not in text:
        fix = "command:python spot.py {video} {out}"
        raise InputError("SpotterConfig.spotter", "the command names no {video} or no {out}", fix)
    if config.spotter_window is None:
        what = "is needed with a command: how many seconds after an action does it look at?"
        raise InputError("SpotterConfig.spotter_window", what, "0 if it sees no later frame")
    return Spotter(
        name=Path(words[0]).name,
        classes=(),
        window_s=config.spotter_window,
        published="",
        weights="",
        needs_python=False,
        needs_home=False,
        install="",
        argv=lambda config, video, out: [  # noqa: ARG005
            word.replace("{video}", str(video)).replace("{out}", str(out)) for word in words
        ],
    )
