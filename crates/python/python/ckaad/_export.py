"""Models for other programs."""

from __future__ import annotations

import os

from . import _ckaad
from ._predictor import PathLike


def export_onnx(model: PathLike, file: PathLike, *, with_preprocessing: bool = False) -> None:
    """Writes a model file, or that of the finished run whose folder is named, as an ONNX graph (opset 17), as ``ckaad export --onnx`` does.

    The graph takes ``images``, float32 ``[N, 3, size, size]``, resized and normalised as its metadata say; or, with ``with_preprocessing``,
    ``pictures``, uint8 ``[N, height, width, 3]`` of any one size. It gives ``score`` ``[N]`` and, where the detector makes maps, ``map``
    ``[N, size, size]``. ``ckaad export --verify`` also runs it and compares.
    """
    _ckaad.export_onnx(os.fspath(model), os.fspath(file), with_preprocessing)
