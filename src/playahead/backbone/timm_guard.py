"""timm, also where the installed torchvision was built for another torch."""

import torch

from playahead.io.errors import InputError

_MISSING_OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[torch.library.Library] = []  # a declaration lasts as long as its library object


def import_timm():
    """The ``timm`` module.

    timm imports torchvision, and a torchvision whose compiled operators do not load fails at its import. Nothing here
    calls those operators: declaring them is enough.

    Raises:
        InputError: timm is not installed.
    """
    try:
        return _import()
    except RuntimeError as reason:
        if "torchvision::" not in str(reason):
            raise
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in _MISSING_OPERATORS:
        library.define(operator)
    _declared.append(library)
    return _import()


def _import():
    try:
        import timm
    except ImportError as reason:
        raise InputError("timm", f"cannot be imported ({reason})", "pip install 'playahead[backbone]'") from None
    return timm
