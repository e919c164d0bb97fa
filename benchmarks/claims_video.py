"""The paper's claims on simulated video of its own shape: python claims_video.py OUT [--real-plays DATA/train.npz].

Makes 16 matches of 10 minutes for training, 3 for choices and 6 for testing, and their features: 33 snippets of 1,280
columns a window. The packaged backbone gives 320, so its last projection is widened by random rows, which the frozen
network's maps go through as through the trained ones. Then ``playahead compare benchmarks/claims_video.yaml --data
OUT/sim --features OUT/features --split test`` compares the claims. Never football results.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from learning_curve import make_dataset  # type: ignore[missing-import]

from playahead.backbone.checkpoint import load_backbone, save_backbone
from playahead.backbone.network import Backbone
from playahead.features.extract import ExtractConfig
from playahead.io.files import packaged_weights
from playahead.lab.simulation.simulate import SimulationConfig, simulate
from playahead.video.input_size import parse_input_size
from playahead.video.reader import read_frames

PAPERS_PROJECTION, SIZE = 256, "224x128"


def main() -> None:
    """Widen, simulate, extract."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--real-plays", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    backbone = options.out / "backbone.safetensors"
    if not backbone.exists():
        trained, about = load_backbone(packaged_weights("simulated-backbone"))
        a_minute = SimulationConfig(layout="bas", video=True, matches=4, halves=1, minutes=1.0, width=224, height=124)
        simulate(options.out / "a-minute", a_minute)
        video = min((options.out / "a-minute" / "train").rglob("*.mp4"))
        snippets = [frame for _, frame in read_frames(video, parse_input_size(SIZE))][: 15 * 64]
        frames_BTHW = torch.from_numpy(np.stack(snippets)).unflatten(0, (-1, 15)).float() / 255
        source = {"source": "packaged, last projection widened by random rows", "input_size": SIZE}
        save_backbone(backbone, widened(trained, frames_BTHW), {**about, **source})
    config = ExtractConfig(backbone=backbone, input_size=SIZE, precision="bfloat16")
    make_dataset(options.out, options.real_plays, {"train": 16, "valid": 3, "test": 6}, config)


def widened(trained: Backbone, frames_BTHW: torch.Tensor) -> Backbone:
    """The same network with random rows beside the trained ones of its last projection, at their scale.

    Their batch norm takes its mean and variance from the frames.
    """
    torch.manual_seed(0)
    wide = Backbone(replace(trained.config, projection=PAPERS_PROJECTION)).eval()
    ours, theirs = wide.state_dict(), trained.state_dict()
    projection = [name for name in theirs if name.startswith("conv3d_projection") and theirs[name].ndim]
    with torch.no_grad():
        for name, value in theirs.items():
            if name in projection:
                ours[name].normal_(std=float(value.std())) if value.ndim > 1 else ours[name].fill_(value.mean())
                ours[name][: len(value)] = value
            elif value.shape == ours[name].shape:
                ours[name].copy_(value)
        norm = wide.conv3d_projection[1].train()
        norm.momentum = 1.0  # type: ignore[bad-assignment]
        wide.snippet_features(frames_BTHW)
        for name in projection:  # the trained rows keep their own mean and variance
            ours[name][: len(theirs[name])] = theirs[name]
    return wide.eval()


if __name__ == "__main__":
    main()
