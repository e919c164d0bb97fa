"""Offsets as bins and soft bins, Eq. (6) of docs/paper.md.

Axes: X any number of events, T bins.
"""

import torch
from torch import Tensor


def time_bin(time_X: Tensor, n_bins: int) -> Tensor:
    """Share of the 5 s, in [0, 1], -> bin 0 .. n_bins - 1."""
    return (time_X * n_bins).long().clamp(0, n_bins - 1)


def soft_bins(bin_X: Tensor, n_bins: int, sigma_bins: float) -> Tensor:
    """Eq. (6): a normalised Gaussian around the bin, soft_XT; sigma 0 gives one-hot bins."""
    bins_T = torch.arange(n_bins, device=bin_X.device)
    if sigma_bins == 0:
        return (bins_T == bin_X[..., None]).float()
    distance_XT = (bins_T - bin_X[..., None]).float()
    soft_XT = torch.exp(-distance_XT.square() / (2 * sigma_bins**2))
    return soft_XT / soft_XT.sum(dim=-1, keepdim=True)
