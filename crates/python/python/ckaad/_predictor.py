"""Scoring images with a trained model."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from . import _ckaad
from ._ckaad import Predictions

if TYPE_CHECKING:
    from PIL import Image

PathLike: TypeAlias = Union[str, "os.PathLike[str]"]
Picture: TypeAlias = Union["Image.Image", "np.ndarray[Any, np.dtype[np.uint8]]"]


class Predictor:
    """A trained model: a model file, or that of the finished run whose folder is named.

    ``device`` is one of :func:`ckaad.devices`, ``precision`` one of f32, tf32 and bf16, if another than the model was trained in.
    """

    def __init__(self, model: PathLike, *, device: str = "cpu", precision: str | None = None) -> None:
        self._model = _ckaad.Predictor(os.fspath(model), device, precision)
        self._info = self.info

    @property
    def info(self) -> dict[str, Any]:
        """What the model file says besides the weights: config, preprocessing, threshold, calibration, maps, epoch, weights, version."""
        info: dict[str, Any] = json.loads(self._model.info())
        return info

    @property
    def threshold(self) -> float:
        """Images with this score or a higher one are anomalous, unless another threshold is given."""
        return self._model.threshold(None)

    def predict(
        self,
        images: PathLike | Picture | Iterable[PathLike] | Iterable[Picture],
        *,
        threshold: float | None = None,
        alpha: float | None = None,
        maps: bool = True,
        skip_bad: bool = False,
        window: tuple[int, int] | None = None,
        page: int | None = None,
    ) -> Predictions:
        """Scores images, in batches on all cores.

        ``images`` is a file, a folder, a Pillow image, an array of uint8 ``[height, width, 3]`` (red, green, blue) or ``[N, height, width, 3]``, or a
        list of files and folders, or of Pillow images and arrays of any sizes. Pillow images are turned as their file asks for where the model
        reads files so.

        ``threshold`` decides instead of the model's; ``alpha`` flags a normal image with at most this probability, as the normal images
        promise that training held out. ``maps=False`` saves their memory. With ``skip_bad`` an image that cannot be read has the score NaN and
        an entry in ``errors`` instead of ending the call. ``window`` (the 16-bit values that become black and white) and ``page`` are meant for
        files, by default as the model was trained.
        """
        if threshold is not None and alpha is not None:
            raise ValueError("give threshold or alpha, not both")
        at = self._model.threshold(alpha) if threshold is None else float(threshold)
        if not np.isfinite(at):
            raise ValueError("threshold must be a finite number")
        items = _items(images)
        if items and all(isinstance(item, (str, os.PathLike)) for item in items):
            paths = [os.fspath(item) for item in items]
            return self._model.predict_files(paths, at, maps, skip_bad, window, page)
        if window is not None or page is not None:
            raise ValueError("window and page say how files are read; these images are decoded")
        pictures = [self._decoded(item) for item in items]
        return self._model.predict_arrays(pictures, at, maps, skip_bad)

    def _decoded(self, item: Any) -> Any:
        if isinstance(item, (str, os.PathLike)):
            raise ValueError("give either files or images, not both in one list")
        if not _is_pillow(item):
            return item
        # Pillow clips these to 8 bits, whatever they mean.
        if item.mode == "F" or item.mode.startswith("I"):
            raise ValueError(
                f"a Pillow image of mode {item.mode}: give the file, whose 16-bit values are read as the model was trained, or an image of 8 bits"
            )
        if self._info["preprocessing"]["reading"]["orientation"] == "apply":
            from PIL import ImageOps

            item = ImageOps.exif_transpose(item)
        return np.asarray(item.convert("RGB"))

    def __repr__(self) -> str:
        config = self._info["config"]
        return f"Predictor({config['detector']['name']} on {config['backbone']}, {config['image_size']} pixels)"


def _is_pillow(item: Any) -> bool:
    # Whoever has a Pillow image has Pillow; nobody else needs it.
    return hasattr(item, "convert") and hasattr(item, "getexif")


def _items(images: Any) -> list[Any]:
    if isinstance(images, (str, os.PathLike)) or _is_pillow(images):
        return [images]
    if isinstance(images, np.ndarray):
        if images.ndim == 4:
            return list(images)
        return [images]
    return list(images)
