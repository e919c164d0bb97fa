"""Every command: where its function is, what it is for, and an example.

A command is an entry here and a file in ``commands/`` (docs/how-to/add-a-command.md).
"""

from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from importlib import import_module


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        function: place of its function, ``module:name`` in ``commands/``.
        summary: purpose in one line.
        example: arguments that show it.
        positional: name of its positional argument, if it has one.
        shown: settings inside settings, as ``model.slots``, that its help shows; ``--print-config`` shows all.
        hidden: options that its help leaves to another command's.
    """

    function: str
    summary: str
    example: str
    positional: str = ""
    shown: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    @property
    def settings(self) -> str:
        """Name of the parameter that holds settings (a dataclass), if there is one: each field is an option."""
        return next((name for name, kind in self.load().__annotations__.items() if is_dataclass(kind)), "")

    def load(self) -> Callable[..., int | None]:
        """Import the function."""
        module, name = self.function.split(":")
        return getattr(import_module(f"playahead.cli.commands.{module}"), name)


@dataclass(frozen=True)
class Group:
    """Commands under a common word."""

    summary: str
    commands: dict[str, Command]


_MODEL = ("model.d_model", "model.encoder_layers", "model.decoder_layers", "model.slots", "model.dropout")
_OPTIM = ("optim.kind", "optim.lr", "optim.weight_decay", "optim.warmup_epochs")

_GROUPS = {
    "data": "check, convert, simulate or download a dataset",
    "features": "features of video that others have made",
    "train": "train a recipe on a dataset",
    "weights": "keep published weights safely",
    "evaluate": "score by the official metric, to the last bit",
    "results": "recorded figures: what is stale, and tables of them",
    "bench": "how fast training, scoring and extraction are here",
}
_ALL = {
    "demo": Command("demo:demo", "the whole pipeline on simulated broadcasts, in minutes", ""),
    "data check": Command(
        "data:check", "counts, bad entries, and whether splits share video", "SoccerNet/ActionAnticipation", "path"
    ),
    "data convert": Command(
        "data:convert",
        "event feeds of any readable provider into a compact table",
        "match-1.json match-2.json --out tables/train.npz",
        "files",
    ),
    "data simulate": Command("data_simulate:command", "write simulated matches", "--out sim --layout baa --matches 6"),
    "data download": Command(
        "data_download:download",
        "fetch the benchmark's videos and labels",
        "baa --out SoccerNet --splits train,valid",
        "dataset",
    ),
    "pretrain": Command(
        "pretrain:pretrain",
        "train the backbone to spot actions: features without a leak",
        "--train SoccerNet/224p/train --validate SoccerNet/224p/valid --recipe backbone-small",
        shown=("backbone.encoder", *_OPTIM),
    ),
    "train feed": Command(
        "train:train_feed",
        "train on an event feed",
        "--data wyscout_baa --out runs/wide --model.d-model 192 --seed 1",
        shown=(*_MODEL, *_OPTIM),
    ),
    "train frames": Command(
        "train_frames:train_frames",
        "train FAANTRA end to end on video files",
        "--data SoccerNet/224p --out runs/frames --model.encoder regnety_004",
        shown=("model.encoder", "model.input_size", "model.imagenet", *_OPTIM),
    ),
    "train video": Command(
        "train:train_video",
        "train on features of video",
        "--features features --data SoccerNet/224p --out runs/video",
        shown=(*_MODEL, *_OPTIM),
    ),
    "extract": Command(
        "extract:extract",
        "encode video into features, once and for all",
        "SoccerNet/224p --out features --backbone backbone.safetensors --input-size 416x224",
        "source",
    ),
    "features import": Command(
        "features_import:command",
        "ready-made features (.npy) of a dataset's videos into a store",
        'npy --data SoccerNet/224p --fps 2 --made-by "ResNet-152" --out features',
        "source",
    ),
    "weights convert": Command(
        "weights_convert:convert",
        "a published checkpoint into safetensors",
        "model-015.pth --out backbone.safetensors",
        "checkpoint",
    ),
    "evaluate frames": Command("score:evaluate_frames", "score a table of frames", "case.npz --json", "case"),
    "evaluate submission": Command(
        "score:evaluate_submission",
        "score a submission",
        "results_anticipation.zip --labels SoccerNet/224p/valid",
        "results",
    ),
    "evaluate feed": Command(
        "evaluate:evaluate_feed",
        "score weights on an event feed",
        "wyscout_baa --split test --weights runs/feed/weights.safetensors",
        "data",
    ),
    "evaluate next": Command(
        "evaluate:evaluate_next", "score which action comes next, and when", "wyscout_baa --split test", "data"
    ),
    "evaluate video": Command(
        "evaluate:evaluate_video",
        "score weights on labelled video",
        "SoccerNet/224p/valid --features features --weights weights.safetensors",
        "labels",
    ),
    "compare": Command(
        "compare:compare",
        "which changes help: a grid of runs, with paired intervals",
        "paper --data wyscout_baa --out runs/paper --processes 2",
        "grid",
    ),
    "results record": Command(
        "results:record",
        "score weights, and write the figures with all that they were made from",
        'results/labels-only.json --data wyscout --past "labels only"',
        "path",
    ),
    "results check": Command(
        "results:check", "which recorded figures are stale, and how to make them again", "results", "folder"
    ),
    "results table": Command("results:table", "recorded figures as a table", "results", "folder"),
    "report": Command(
        "report:report",
        "one page about runs: scores, calibration, mistakes, examples",
        "runs/paper --data wyscout_baa --out report.html",
        "runs",
    ),
    "predict": Command(
        "predict:predict",
        "anticipate what comes next, all through a match",
        "match.mp4 --from 12:30 --to 20:00 --overlay ahead.mp4",
        "match",
        hidden=("spotter_python", "spotter_home", "spotter_weights", "spotter_window"),
    ),
    "spot": Command(
        "spot:spot",
        "run somebody's action spotter over a video",
        "match.mp4 --spotter t-deed --spotter-home T-DEED --spotter-python T-DEED/.venv/bin/python --out spotted.json",
        "video",
    ),
    "curves": Command(
        "curves:curves",
        "the chance of each action, second by second",
        "match.json --of shot,cross --out curves.csv",
        "match",
    ),
    "plot": Command("curves:plot", "a picture of these chances", "match.json --of shot --out danger.svg", "match"),
    "live": Command(
        "live:live",
        "watch a match while it is being played",
        "https://example.org/match.m3u8 --backbone backbone.safetensors --weights weights.safetensors",
        "source",
    ),
    "serve": Command("serve:serve", "anticipate over HTTP", "--port 8008 --sources /srv/matches"),
    "view": Command(
        "view:view",
        "a page that plays a match beside what was expected of it",
        "match.mp4 predictions.json --out view.html",
        "files",
    ),
    "export": Command("export:export", "a model as ONNX, for programs without PyTorch", "--out exported"),
    "publish": Command(
        "publish:publish",
        "a folder to upload to the Hugging Face Hub: weights and their card",
        "org/name --out published --results results",
        "name",
    ),
    "submit": Command(
        "submit:submit",
        "write a submission, or check one before the server does",
        "--check results_anticipation.zip --labels test",
    ),
    "bench core": Command("bench:core", "training and scoring", "--steps 8"),
    "bench extract": Command("bench:extract", "decoding and encoding video", "--input-size 1280x736"),
    "bench live": Command("bench:live", "live sessions that one worker carries", "--sessions [1,16,64]"),
}

SECTIONS = {
    "a match": ("predict", "spot", "curves", "plot", "view", "live", "serve"),
    "scores": ("evaluate", "compare", "report", "results", "submit"),
    "data and training": ("data", "extract", "features", "train", "pretrain", "weights", "export", "publish"),
    "this machine": ("demo", "bench"),
}
"""Commands in the order in which ``playahead --help`` names them."""

COMMANDS: dict[str, Command | Group] = {}
for _words, _command in _ALL.items():
    _name, _, _part = _words.partition(" ")
    if _part:
        _group = COMMANDS.setdefault(_name, Group(_GROUPS[_name], {}))
        _group.commands[_part] = _command  # type: ignore[missing-attribute]
    else:
        COMMANDS[_name] = _command


def overview() -> str:
    """Usage, and a line for each command, those first that people begin with."""
    lines = ["usage: playahead COMMAND ...", "", "Watch 30 s of football, say what happens in the next 5."]
    for title, names in SECTIONS.items():
        lines += ["", f"{title}:", *(f"  {name:<10} {COMMANDS[name].summary}" for name in names)]
    tail = "playahead COMMAND --help says more of one. To begin: playahead predict sample"
    return "\n".join([*lines, "", tail, ""])
