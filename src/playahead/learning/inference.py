"""A trained model over whole tracks: tensors in, NumPy readings out."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from playahead.decoding.readings import DenseReadings, Readings, SlotReadings
from playahead.domain.grid import GRID
from playahead.features.feed import FeedTrack, window_features
from playahead.model.anticipator import AnticipatorOutput

_CHUNK_PASSAGES = 64


@torch.inference_mode()
def read_passages(model: nn.Module, features_BWNF: NDArray[np.float32]) -> Readings:
    """Readings of every observation in B runs of W >= 6 consecutive windows (O = B * (W - 5))."""
    device = next(model.parameters()).device
    chunks = torch.from_numpy(features_BWNF).split(_CHUNK_PASSAGES)
    return join_readings([readings_of(model(chunk.to(device))) for chunk in chunks])


def read_passage(model: nn.Module, features_WNF: NDArray[np.float32]) -> Readings:
    """Readings of every observation in one run of W >= 6 consecutive windows (O = W - 5)."""
    return read_passages(model, features_WNF[None])


def read_feed(model: nn.Module, track: FeedTrack, end_ms_O: NDArray[np.int64]) -> Readings:
    """Readings of the observations that end at the given times, 5 s apart."""
    earlier = end_ms_O[0] - np.arange(GRID.n_windows - 1, 0, -1) * GRID.window_ms
    return read_passage(model, window_features(track, np.r_[earlier, end_ms_O]))


def read_at(
    read: Callable[[NDArray[np.int64]], Readings], end_ms_O: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.intp], Readings]]:
    """Readings at any increasing times: (places in ``end_ms_O``, their readings), one pair per phase of the 5-s grid.

    Times a multiple of 5 s apart share windows, so each phase is one passage (cut where a gap would waste windows).
    ``read`` reads the observations that end at times 5 s apart, whatever they are observed through.
    """
    for phase in np.unique(end_ms_O % GRID.window_ms):
        places = np.flatnonzero(end_ms_O % GRID.window_ms == phase)
        far = np.flatnonzero(np.diff(end_ms_O[places]) > GRID.observation_ms) + 1
        for stretch in np.split(places, far):
            ends = end_ms_O[stretch]
            passage = np.arange(ends[0], ends[-1] + 1, GRID.window_ms, dtype=np.int64)
            yield stretch, read(passage).select(np.isin(passage, ends))


def join_readings(parts: Sequence[Readings]) -> Readings:
    """Readings of several tracks, one after the other."""
    if isinstance(parts[0], DenseReadings):
        return DenseReadings(np.concatenate([p.chance_ORC for p in parts if isinstance(p, DenseReadings)]))
    slots = [p for p in parts if isinstance(p, SlotReadings)]
    return SlotReadings(
        np.concatenate([p.objectness_OK for p in slots]),
        np.concatenate([p.class_OKC for p in slots]),
        np.concatenate([p.offset_OKT for p in slots]),
    )


def readings_of(output: AnticipatorOutput) -> Readings:
    """Logits -> probabilities in NumPy."""
    if output.slots is not None:
        return SlotReadings(
            output.slots.objectness_OK.float().sigmoid().cpu().numpy(),
            output.slots.class_OKC.float().softmax(dim=-1).cpu().numpy(),
            output.slots.offset_OKT.float().softmax(dim=-1).cpu().numpy(),
        )
    assert output.dense_ORC is not None
    return DenseReadings(output.dense_ORC.float().sigmoid().cpu().numpy())
