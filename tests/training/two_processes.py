"""What ``test_ranks`` runs as a program: one trainer in two processes, each of which says what it has.

python -m tests.training.two_processes TRAINER FOLDER DATA [FAILING_RANK]
"""

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import torch

from playahead.cli.terminal import complain
from playahead.datasets.examples import FeedExamples
from playahead.io.errors import InputError, PlayaheadError
from playahead.io.runtime import end_process
from playahead.lab.faantra.end_to_end import EndToEndTrainer, FrameExamples, FramesEvaluationSet, find_annotated_videos
from playahead.lab.pretrain import PretrainConfig, SpottingTrainer
from playahead.lab.recipes import recipe
from playahead.lab.simulation.plays import simulate_half
from playahead.sources.layouts import find_labelled_videos
from playahead.training import loop
from playahead.training.ranks import launch_ranks
from playahead.training.trainer import Trainer
from playahead.video.frame_cache import FrameCache
from playahead.video.input_size import parse_input_size
from tests.support.backbone import TINY as TINY_BACKBONE
from tests.support.faantra import TINY as TINY_FRAMES
from tests.support.training import TINY, always_one

BRIEF = {"device": "cpu", "devices": 2, "epochs": 2, "steps_per_epoch": 2, "precision": "32-true", "save_every": 1}


def make(kind: str, folder: Path, data: Path, fabric) -> loop.Loop:
    if kind == "anticipator":
        return Trainer(config(kind), FeedExamples([simulate_half(0, minutes=2)], 3), always_one, folder, None, fabric)
    cache = FrameCache(folder, parse_input_size("64x32"))
    if kind == "backbone":
        videos = find_labelled_videos(data / "train")[:1]
        with fabric.rank_zero_first():
            cache.fill([video.path for video in videos])
        return SpottingTrainer(config(kind), videos, videos, cache, folder, fabric)
    annotated = find_annotated_videos(data / "train")[:1]
    with fabric.rank_zero_first():
        cache.fill([video.source.path for video in annotated])
    settings = config(kind)
    examples = FrameExamples(annotated, cache, settings.model)
    return EndToEndTrainer(settings, examples, FramesEvaluationSet(annotated, settings.model), folder, fabric)


def config(kind: str):
    if kind == "anticipator":
        return replace(TINY, **BRIEF)
    if kind == "backbone":
        sizes = {"imagenet": False, "backbone": TINY_BACKBONE, "input_size": "64x32", "batch": 4, "accumulate": 2}
        return replace(recipe("backbone-small", PretrainConfig), **sizes, **BRIEF)
    return replace(TINY_FRAMES, **BRIEF)


def main(kind: str, folder: Path, data: Path, failing: str = "") -> None:
    torch.set_num_threads(1)
    written: list[str] = []
    write = loop.write_tensors
    loop.write_tensors = lambda path, *rest: (written.append(path.name), write(path, *rest))[1]
    with launch_ranks(config(kind), folder) as fabric:
        trainer = make(kind, folder, data, fabric)
        if failing == str(fabric.global_rank):
            raise InputError("match 7", "cannot be read any more")
        drawn: list[str] = []
        backward = trainer.backward
        trainer.backward = lambda rng: (made := backward(rng), drawn.extend(made[1]))[0]
        trainer.run()
        whole = hashlib.sha256()
        for name, value in sorted(trainer.plain_model.named_parameters()):
            whole.update(name.encode() + value.detach().numpy().tobytes())
        said = f"{whole.hexdigest()} {len(written)} {len(drawn)} {trainer.per_step * trainer.step}"
        (folder / f"rank{fabric.global_rank}.txt").write_text(said)


def run(*words: str) -> int:
    """As the command line does."""
    try:
        main(words[0], Path(words[1]), Path(words[2]), *words[3:])
    except PlayaheadError as reason:
        complain(str(reason))
        return 2
    return 0


if __name__ == "__main__":
    end_process(run(*sys.argv[1:]))
