"""Muon for processors that emulate bfloat16, in which PyTorch orthogonalises: 40 times as slow there as float32."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import Muon


class Float32Muon(Muon):
    """PyTorch's Muon, but a processor orthogonalises in float32. On an accelerator nothing differs.

    Settings and state are PyTorch's; steps are always scaled as with ``adjust_lr_fn="match_rms_adamw"``.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """Make one step."""
        if self.param_groups[0]["params"][0].device.type != "cpu":
            return super().step(closure)
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            momentum = group["momentum"]
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(matrix.grad)
                buffer = state["momentum_buffer"].lerp_(matrix.grad, 1 - momentum)
                update = matrix.grad.lerp(buffer, momentum) if group["nesterov"] else buffer
                step = orthogonalised(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(step, alpha=-group["lr"] * 0.2 * max(matrix.shape) ** 0.5)
        return loss


def orthogonalised(matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """Newton-Schulz iteration towards the nearest matrix with orthonormal rows, or columns if there are fewer."""
    a, b, c = coefficients
    found = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    found = found / found.norm().clamp(min=eps)
    for _ in range(steps):
        gram = found @ found.T
        found = torch.addmm(found, torch.addmm(gram, gram, gram, beta=b, alpha=c), found, beta=a)
    return found.T if matrix.shape[0] > matrix.shape[1] else found
