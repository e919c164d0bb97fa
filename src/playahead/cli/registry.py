"""Every command: where its function is, what it is for, and an example.

A command is an entry here and a file in ``commands/`` (docs/how-to/add-a-command.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        function: place of its function, ``module:name`` in ``commands/``.
        summary: purpose in one line.
        example: command line that shows it.
        positional: name of its positional argument, if it has one.
        settings: name of its parameter that holds settings (a dataclass), if it has one: each field is an option, its
            default comes from the recipe named by ``--recipe``.
        shown: settings inside settings, as ``model.slots``, that its help shows; ``--print-config`` shows all.
    """

    function: str
    summary: str
    example: str
    positional: str = ""
    settings: str = ""
    shown: tuple[str, ...] = ()

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

COMMANDS: dict[str, Command | Group] = {
    "demo": Command("demo:demo", "the whole pipeline on simulated broadcasts, in minutes", "playahead demo"),
    "data": Group(
        "check, convert, simulate or download a dataset",
        {
            "check": Command(
                "data:check",
                "counts, bad entries, and whether splits share video",
                "playahead data check SoccerNet/ActionAnticipation",
                positional="path",
            ),
            "convert": Command(
                "data:convert",
                "event feeds of any readable provider into a compact table",
                "playahead data convert match-1.json match-2.json --out tables/train.npz",
                positional="files",
            ),
            "simulate": Command(
                "data_simulate:command",
                "write simulated matches",
                "playahead data simulate --out sim --layout baa --matches 6",
                settings="config",
            ),
            "download": Command(
                "data_download:download",
                "fetch the benchmark's videos and labels",
                "playahead data download baa --out SoccerNet --splits train,valid",
                positional="dataset",
            ),
        },
    ),
    "pretrain": Command(
        "pretrain:pretrain",
        "train the backbone to spot actions: features without a leak",
        "playahead pretrain --train SoccerNet/224p/train --validate SoccerNet/224p/valid --recipe backbone-small",
        settings="run",
        shown=("backbone.encoder", *_OPTIM),
    ),
    "train": Group(
        "train a recipe on a dataset",
        {
            "feed": Command(
                "train:train_feed",
                "train on an event feed",
                "playahead train feed --data wyscout_baa --out runs/wide --model.d-model 192 --seed 1",
                settings="run",
                shown=(*_MODEL, *_OPTIM),
            ),
            "frames": Command(
                "train_frames:train_frames",
                "train FAANTRA end to end on video files",
                "playahead train frames --data SoccerNet/224p --out runs/frames --model.encoder regnety_004",
                settings="run",
                shown=("model.encoder", "model.input_size", "model.imagenet", *_OPTIM),
            ),
            "video": Command(
                "train:train_video",
                "train on features of video",
                "playahead train video --features features --data SoccerNet/224p --out runs/video",
                settings="run",
                shown=(*_MODEL, *_OPTIM),
            ),
        },
    ),
    "extract": Command(
        "extract:extract",
        "encode video into features, once and for all",
        "playahead extract SoccerNet/224p --out features --backbone backbone.safetensors --input-size 416x224",
        positional="source",
        settings="config",
    ),
    "weights": Group(
        "keep published weights safely",
        {
            "convert": Command(
                "weights_convert:convert",
                "a published checkpoint into safetensors",
                "playahead weights convert model-015.pth --out backbone.safetensors",
                positional="checkpoint",
            )
        },
    ),
    "evaluate": Group(
        "score by the official metric, to the last bit",
        {
            "frames": Command(
                "score:evaluate_frames",
                "score a table of frames",
                "playahead evaluate frames case.npz --json",
                positional="case",
            ),
            "submission": Command(
                "score:evaluate_submission",
                "score a submission",
                "playahead evaluate submission results_anticipation.zip --labels SoccerNet/224p/valid",
                positional="results",
            ),
            "feed": Command(
                "evaluate:evaluate_feed",
                "score weights on an event feed",
                "playahead evaluate feed wyscout_baa --split test --weights runs/feed/weights.safetensors",
                positional="data",
                settings="options",
            ),
            "next": Command(
                "evaluate:evaluate_next",
                "score which action comes next, and when",
                "playahead evaluate next wyscout_baa --split test",
                positional="data",
            ),
            "video": Command(
                "evaluate_video:evaluate_video",
                "score weights on labelled video",
                "playahead evaluate video SoccerNet/224p/valid --features features --weights weights.safetensors",
                positional="labels",
                settings="options",
            ),
        },
    ),
    "compare": Command(
        "compare:compare",
        "which changes help: a grid of runs, with paired intervals",
        "playahead compare paper --data wyscout_baa --out runs/paper --processes 2",
        positional="grid",
        settings="options",
    ),
    "report": Command(
        "report:report",
        "one page about runs: scores, calibration, mistakes, examples",
        "playahead report runs/paper --data wyscout_baa --out report.html",
        positional="runs",
        settings="config",
    ),
    "predict": Command(
        "predict:predict",
        "anticipate what comes next, all through a match",
        "playahead predict match.mp4 --from 12:30 --to 20:00 --overlay ahead.mp4",
        positional="match",
        settings="asked",
    ),
    "live": Command(
        "live:live",
        "watch a match while it is being played",
        "playahead live https://example.org/match.m3u8 --backbone backbone.safetensors --weights weights.safetensors",
        positional="source",
        settings="config",
    ),
    "serve": Command(
        "serve:serve",
        "anticipate over HTTP",
        "playahead serve --port 8008 --sources /srv/matches",
        settings="config",
    ),
    "view": Command(
        "view:view",
        "a page that plays a match beside what was expected of it",
        "playahead view match.mp4 predictions.json --out view.html",
        positional="files",
    ),
    "export": Command(
        "export:export",
        "a model as ONNX, for programs without PyTorch",
        "playahead export --out exported",
    ),
    "submit": Command(
        "submit:submit",
        "write a submission, or check one before the server does",
        "playahead submit --check results_anticipation.zip --labels test",
        settings="options",
    ),
    "bench": Group(
        "how fast training, scoring and extraction are here",
        {
            "core": Command("bench_core:command", "training and scoring", "playahead bench core --steps 8"),
            "extract": Command(
                "bench_extract:command", "decoding and encoding video", "playahead bench extract --input-size 1280x736"
            ),
            "live": Command("bench_live:command", "answers about a running match", "playahead bench live"),
        },
    ),
}
