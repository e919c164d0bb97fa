"""A device that nobody has: CPU tensors that say they lie elsewhere, and refuse what a GPU would refuse.

Tensors on ``standin`` compute on the CPU, but meet a CPU tensor only where torch itself copies it (a number without
dimensions), are read by the host only through a copy, and every such reading is counted. Below autograd, so that
gradients are those of any device.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten
from torch.utils.backend_registration import _DummyBackendModule, _setup_privateuseone_for_python_backend

NAME = "standin"
aten = torch.ops.aten
_READ = {aten._local_scalar_dense.default, aten.is_nonzero.default, aten.equal.default}
_SIZED_BY_VALUES = {
    aten.nonzero.default,
    aten.masked_select.default,
    aten._unique2.default,
    aten.repeat_interleave.Tensor,
    aten.bincount.default,
}


_NOT_DETERMINISTIC = {
    *("_adaptive_avg_pool2d_backward", "_adaptive_avg_pool3d_backward", "avg_pool3d_backward"),
    *("adaptive_max_pool2d_backward", "fractional_max_pool2d_backward", "fractional_max_pool3d_backward"),
    *("upsample_linear1d_backward", "upsample_bilinear2d_backward", "upsample_bicubic2d_backward"),
    *("upsample_trilinear3d_backward", "_upsample_bilinear2d_aa_backward", "_upsample_bicubic2d_aa_backward"),
    *("reflection_pad1d_backward", "reflection_pad2d_backward", "reflection_pad3d_backward"),
    *("max_unpool2d", "max_unpool3d", "nll_loss2d_forward", "nll_loss2d_backward", "_ctc_loss_backward"),
    *(
        "grid_sampler_2d_backward",
        "grid_sampler_3d_backward",
        "histc",
        "median",
        "nanmedian",
        "kthvalue",
        "put",
        "put_",
    ),
}
"""Operations that CUDA refuses under ``torch.use_deterministic_algorithms`` (its documentation's list), by name."""


class StandIn(torch.Tensor):
    """A CPU tensor that says it lies on the stand-in."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> "StandIn":
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=torch.device(NAME, 0),
        )
        made.held = held
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        raise AssertionError(f"{func} on the stand-in outside of its watch")

    def __repr__(self) -> str:
        return f"StandIn({tuple(self.shape)}, {self.dtype})"


class Watch(TorchDispatchMode):
    """Runs what is asked of the stand-in on the CPU, and counts what the host reads from it.

    Attributes:
        read: what the host waited for, by operation.
        undetermined: operations that CUDA refuses where a run is to be deterministic. Noted and not refused: an error
            inside a backward pass would end the process.
    """

    def __init__(self) -> None:
        super().__init__()
        self.read: Counter[str] = Counter()
        self.undetermined: Counter[str] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        flat, shape = tree_flatten((args, kwargs))
        ours = [value for value in flat if isinstance(value, StandIn)]
        wanted = kwargs.get("device")
        goes_here = wanted is not None and torch.device(wanted).type == NAME
        if func in (aten._to_copy.default, aten.copy_.default):
            return self._copied(func, args, kwargs, goes_here)
        if not ours and not goes_here:
            return func(*args, **kwargs)
        if wanted is not None:
            kwargs["device"] = "cpu"
        self._refuse_mixed(func, flat)
        self._note_undetermined(func, args, kwargs)
        self._count(func, args)
        held = [getattr(value, "held", value) for value in tree_flatten((args, kwargs))[0]]
        run_args, run_kwargs = tree_unflatten(held, shape)
        found = _WITHOUT_CPU_KERNEL.get(func, func)(*run_args, **run_kwargs)
        if func in _READ:
            return found
        wrapped = tree_map(_wrapped, found)
        return return_and_correct_aliasing(func, args, kwargs, wrapped) if ours else wrapped

    def _copied(self, func: Any, args: tuple, kwargs: dict, goes_here: bool):
        """Copies are what may cross; from the stand-in to the host they are waited for."""
        if func is aten.copy_.default:
            target, source = args[0], args[1]
            if isinstance(source, StandIn) and not isinstance(target, StandIn):
                self.read["copy to the host"] += 1
            getattr(target, "held", target).copy_(getattr(source, "held", source))
            return target
        source, wanted = args[0], kwargs.pop("device", None)
        here = isinstance(source, StandIn)
        if here and wanted is not None and not goes_here:
            self.read["copy to the host"] += 1
        made = func(getattr(source, "held", source), **kwargs)
        return StandIn(made) if goes_here or (here and wanted is None) else made

    def _refuse_mixed(self, func: Any, flat: list) -> None:
        for value in flat:
            if isinstance(value, torch.Tensor) and not isinstance(value, StandIn) and value.dim():
                raise RuntimeError(f"{func}: expected all tensors on {NAME}, found one on {value.device}")

    def _note_undetermined(self, func: Any, args: tuple, kwargs: dict) -> None:
        name = func.overloadpacket.__name__
        adds_up_floats = name == "cumsum" and args[0].is_floating_point()
        weighed = name == "bincount" and (len(args) > 1 or kwargs.get("weights") is not None)
        if name in _NOT_DETERMINISTIC or adds_up_floats or weighed:
            self.undetermined[str(func)] += 1

    def _count(self, func: Any, args: tuple) -> None:
        by_mask = func in (aten.index.Tensor, aten.index_put_.default, aten.index_put.default) and any(
            index is not None and index.dtype in (torch.bool, torch.uint8) for index in args[1]
        )
        if func in _READ or func in _SIZED_BY_VALUES or by_mask:
            self.read[str(func)] += 1


def _wrapped(value: object) -> object:
    return StandIn(value) if isinstance(value, torch.Tensor) and not isinstance(value, StandIn) else value


def _gru_cell(input_gates, hidden_gates, hx, input_bias=None, hidden_bias=None):
    """What an accelerator does in one kernel: gates reset, update, new."""
    if input_bias is not None:
        input_gates, hidden_gates = input_gates + input_bias, hidden_gates + hidden_bias
    (ir, iz, i_new), (hr, hz, h_new) = input_gates.chunk(3, 1), hidden_gates.chunk(3, 1)
    reset, update = (ir + hr).sigmoid(), (iz + hz).sigmoid()
    new = (i_new + reset * h_new).tanh()
    return (1 - update) * new + update * hx, torch.cat([reset, update, new, hx, h_new], dim=1)


def _gru_cell_backward(grad, workspace, has_bias):
    if grad is None:
        return None, None, None, None, None
    reset, update, new, hx, h_new = workspace.chunk(5, 1)
    of_new = grad * (1 - update) * (1 - new.square())
    of_update = grad * (hx - new) * update * (1 - update)
    of_reset = of_new * h_new * reset * (1 - reset)
    of_input = torch.cat([of_reset, of_update, of_new], dim=1)
    of_hidden = torch.cat([of_reset, of_update, of_new * reset], dim=1)
    biases = (of_input.sum(0), of_hidden.sum(0)) if has_bias else (None, None)
    return of_input, of_hidden, grad * update, *biases


class _Module(_DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


def _convolution_backward(grad, features, weight, stride, padding, dilation, transposed, output_padding, groups, mask):
    bias_sizes = [weight.shape[1] * groups if transposed else weight.shape[0]]
    geometry = (stride, padding, dilation, transposed, output_padding, groups)
    return aten.convolution_backward.default(grad, features, weight, bias_sizes, *geometry, mask)


_WITHOUT_CPU_KERNEL = {
    aten.convolution_overrideable.default: aten.convolution.default,
    aten.convolution_backward_overrideable.default: _convolution_backward,
    aten._thnn_fused_gru_cell.default: _gru_cell,
    aten._thnn_fused_gru_cell_backward.default: _gru_cell_backward,
}
# On import, which is before any test: the first backward pass of a process counts the devices, once and for all.
_setup_privateuseone_for_python_backend(NAME, backend_module=_Module())


@contextmanager
def stand_in() -> Iterator[Watch]:
    """The stand-in is there, and watched."""
    watch, inference = Watch(), torch.autograd.grad_mode.inference_mode
    ways = inference.__enter__, inference.__exit__
    # Tensors that a subclass wraps have no inference mode: without gradients is as far as they go.
    inference.__enter__, inference.__exit__ = torch.no_grad.__enter__, torch.no_grad.__exit__  # type: ignore
    try:
        with watch:
            yield watch
    finally:
        inference.__enter__, inference.__exit__ = ways  # type: ignore
