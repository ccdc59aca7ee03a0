"""Training, comparing and evaluating, with the settings of the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias, Union

from . import _ckaad

PathLike: TypeAlias = Union[str, "os.PathLike[str]"]
Progress: TypeAlias = Callable[[dict[str, Any]], object]


def train(
    out: PathLike,
    *,
    normal: PathLike | None = None,
    anomalous: PathLike | None = None,
    test: PathLike | None = None,
    masks: PathLike | None = None,
    normal_class: str | None = None,
    layout: str | None = None,
    data: PathLike | None = None,
    category: str | None = None,
    split: PathLike | None = None,
    mask_rule: str | None = None,
    window: tuple[int, int] | None = None,
    page: int | None = None,
    skip_bad: bool = False,
    config: PathLike | None = None,
    preset: str | None = None,
    detector: str | None = None,
    method: str | None = None,
    backbone: str | None = None,
    precision: str | None = None,
    image_size: int | None = None,
    batch: int | None = None,
    epochs: int | None = None,
    labelled_ratio: float | None = None,
    anomalies: str | None = None,
    seed: int | None = None,
    weights: PathLike | None = None,
    random_features: bool = False,
    group_by: bool = False,
    settings: Mapping[str, Any] | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Path:
    """Trains a detector into the folder ``out``, which must not exist, and returns it: ``Predictor(out)`` scores images.

    Every option is that of ``ckaad train`` (``ckaad train --help``), and ``settings`` is any setting as in a settings file, in nested
    dictionaries: ``settings={"detector": {"coreset": 0.01}}``. Pretrained weights are fetched when first needed.

    ``progress`` is called with a dictionary, from any thread: ``{"event": "progress", "what", "done", "total"}``, ``{"event": "prepared"}``
    and ``{"event": "epoch", "epoch", "epochs", "losses", "validation_auroc", "seconds"}``. What it raises stops the run and is raised here. So
    does KeyboardInterrupt: after the step under way, with a checkpoint, from which :func:`resume` goes on. Stopped while the images are still
    read, a run leaves nothing behind.
    """
    given = _settings(**{name: value for name, value in locals().items() if name in _SETTINGS})
    _ckaad.train(json.dumps(given), _path(config), os.fspath(out), device, progress)
    return Path(out)


def resume(
    run: PathLike,
    *,
    epochs: int | None = None,
    settings: Mapping[str, Any] | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Path:
    """Goes on with the run in a folder, with its own settings; ``epochs`` may give it more, ``settings`` keep features elsewhere."""
    given = _plain(settings or {})
    if epochs is not None:
        given["epochs"] = epochs
    _ckaad.resume(json.dumps(given), os.fspath(run), device, progress)
    return Path(run)


def compare(
    out: PathLike,
    *,
    detectors: Iterable[str] | None = None,
    pick: PathLike | None = None,
    normal: PathLike | None = None,
    anomalous: PathLike | None = None,
    test: PathLike | None = None,
    masks: PathLike | None = None,
    normal_class: str | None = None,
    layout: str | None = None,
    data: PathLike | None = None,
    category: str | None = None,
    split: PathLike | None = None,
    mask_rule: str | None = None,
    window: tuple[int, int] | None = None,
    page: int | None = None,
    skip_bad: bool = False,
    config: PathLike | None = None,
    preset: str | None = None,
    backbone: str | None = None,
    precision: str | None = None,
    image_size: int | None = None,
    batch: int | None = None,
    epochs: int | None = None,
    labelled_ratio: float | None = None,
    anomalies: str | None = None,
    seed: int | None = None,
    weights: PathLike | None = None,
    random_features: bool = False,
    group_by: bool = False,
    settings: Mapping[str, Any] | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Trains several detectors on the same images, each in a run folder of ``out``, and recommends one by validation alone.

    Returns what ``comparison.json`` holds. ``detectors`` are names, by default those that take minutes; ``pick`` is a folder that the
    recommended model is copied into. The other options are those of :func:`train`. The same call goes on with a comparison that was stopped.
    """
    given = _settings(**{name: value for name, value in locals().items() if name in _SETTINGS})
    names = None if detectors is None else list(detectors)
    found = _ckaad.compare(
        json.dumps(given), names, _path(config), os.fspath(out), _path(pick), device, progress
    )
    comparison: dict[str, Any] = json.loads(found)
    return comparison


def evaluate(
    run: PathLike,
    *,
    test: PathLike | None = None,
    masks: PathLike | None = None,
    normal_class: str | None = None,
    mask_rule: str | None = None,
    out: PathLike | None = None,
    overwrite: bool = False,
    controls: bool = False,
    device: str = "cpu",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Evaluates a finished run on its test images, or on those of the folder ``test``, one sub-folder per class.

    Writes ``report.json`` and ``predictions.csv`` into the run's folder or ``out`` and returns what the former holds (``ckaad report`` makes a page of
    it). ``controls`` adds what the images give away without any network.
    """
    if test is None and (masks is not None or normal_class is not None or mask_rule is not None):
        raise ValueError("masks, normal_class and mask_rule are those of test, which is missing")
    of_test = {
        "test_folder": _absolute(test),
        "test_masks": _absolute(masks),
        "test_normal_class": normal_class,
        "test_mask_rule": mask_rule,
    }
    options = {
        "test": None if test is None else _plain(of_test),
        "out": _path(out),
        "overwrite": overwrite,
        "controls": controls,
    }
    report: dict[str, Any] = json.loads(_ckaad.evaluate(json.dumps(options), os.fspath(run), device, progress))
    return report


# Keyword arguments that are settings, and where each of them stands in a settings file.
_SETTINGS = {
    "preset": ("preset",),
    "detector": ("detector", "name"),
    "method": ("detector", "method"),
    "backbone": ("backbone",),
    "precision": ("precision",),
    "image_size": ("image_size",),
    "batch": ("batch",),
    "epochs": ("epochs",),
    "labelled_ratio": ("labelled_ratio",),
    "anomalies": ("anomalies",),
    "seed": ("seed",),
    "weights": ("weights",),
    "random_features": ("features",),
    "group_by": ("group_by",),
    "layout": ("data", "layout"),
    "data": ("data", "root"),
    "category": ("data", "category"),
    "normal": ("data", "folders", "normal"),
    "anomalous": ("data", "folders", "anomalous"),
    "test": ("data", "folders", "test"),
    "masks": ("data", "folders", "masks"),
    "normal_class": ("data", "folders", "normal_class"),
    "split": ("data", "split"),
    "mask_rule": ("data", "mask_rule"),
    "window": ("data", "window"),
    "page": ("data", "page"),
    "skip_bad": ("data", "skip_bad"),
    "settings": (),
}


def _settings(**given: Any) -> dict[str, Any]:
    """Keyword arguments as a table of settings; those in `settings` have precedence."""
    if given["random_features"]:
        if given["weights"] is not None:
            raise ValueError("random_features have no weights")
        given["random_features"] = "random"
    if given["normal"] is None:
        of_folders = [name for name in ("anomalous", "test", "masks", "normal_class") if given[name] is not None]
        if of_folders:
            raise ValueError(f"{', '.join(of_folders)}: give normal besides, the folder of normal training images")
    table: dict[str, Any] = {}
    for name, place in _SETTINGS.items():
        value = given.get(name)
        # What is false is the default of every switch.
        if not place or value is None or value is False:
            continue
        below = table
        for key in place[:-1]:
            below = below.setdefault(key, {})
        below[place[-1]] = _value(value)
    _lay_over(table, _plain(given["settings"] or {}))
    return table


def _lay_over(base: dict[str, Any], over: dict[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _lay_over(base[key], value)
        else:
            base[key] = value


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON has them; None is what is not said."""
    return {key: _value(value) for key, value in settings.items() if value is not None}


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, (list, tuple)):
        return [_value(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    # NumPy's numbers.
    return value.item() if hasattr(value, "item") else value


def _path(path: PathLike | None) -> str | None:
    return None if path is None else os.fspath(path)


def _absolute(path: PathLike | None) -> str | None:
    return None if path is None else os.path.abspath(path)
