"""The metrics as people compute them in Python, timed for `cargo xtask perf metrics`.

    load DIR   read the arrays that the Rust side wrote
    run CASE   -> SECONDS VALUE

AUROC, average precision and F1-max are scikit-learn's; regions are SciPy's; AUPRO and PRO per image follow
their definitions in NumPy.
"""
import sys
import time
from pathlib import Path

import numpy as np
from scipy.ndimage import label
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

CORNERS = np.ones((3, 3))


def aupro(maps, masks, limit):
    """Dataset-wide: every distinct score a threshold, FPR over all normal pixels, linear up to the limit."""
    share = np.zeros(maps.shape)
    regions = 0
    for image, mask in enumerate(masks):
        if not mask.any():
            continue
        names, count = label(mask, structure=CORNERS)
        sizes = np.bincount(names.reshape(-1))
        share[image][mask] = 1.0 / sizes[names[mask]]
        regions += count
    order = np.argsort(-maps.reshape(-1), kind="stable")
    scores = maps.reshape(-1)[order]
    normal = ~masks.reshape(-1)[order]
    ends = np.append(np.diff(scores) != 0, True)
    fpr = np.append(0, (np.cumsum(normal) / np.count_nonzero(normal))[ends])
    pro = np.append(0, (np.cumsum(share.reshape(-1)[order]) / regions)[ends])
    within = fpr <= limit
    x, y = fpr[within], pro[within]
    if x[-1] < limit:
        x, y = np.append(x, limit), np.append(y, np.interp(limit, fpr, pro))
    return np.trapezoid(y, x) / limit


def pro_per_image(maps, masks):
    """Per anomalous image: 200 thresholds over its own range, FPR below 0.3 stretched to 1."""
    areas = []
    for scores, mask in zip(maps, masks):
        if not mask.any():
            continue
        names, count = label(mask, structure=CORNERS)
        low, high = scores.min(), scores.max()
        x, y = [], []
        for threshold in np.arange(low, high, (high - low) / 200):
            found = scores > threshold
            x.append(found[~mask].mean())
            y.append(np.mean([found[names == region].mean() for region in range(1, count + 1)]))
        x, y = np.array(x), np.array(y)
        kept = x < 0.3
        areas.append(abs(np.trapezoid(y[kept], x[kept] / x[kept].max())))
    return np.mean(areas)


def f1_max(labels, scores):
    precision, recall, _ = precision_recall_curve(labels, scores)
    with np.errstate(invalid="ignore"):
        return np.nanmax(2 * precision * recall / (precision + recall))


def cases(folder):
    labels = np.fromfile(folder / "labels.u8", np.uint8).astype(bool)
    narrow = np.fromfile(folder / "scores.f32", np.float32)
    wide = narrow.astype(np.float64)
    side = int((folder / "side.txt").read_text())
    maps = np.fromfile(folder / "maps.f32", np.float32).reshape(-1, side, side)
    masks = np.fromfile(folder / "masks.u8", np.uint8).astype(bool).reshape(maps.shape)
    return {
        "auroc-f32": lambda: roc_auc_score(labels, narrow),
        "auroc-f64": lambda: roc_auc_score(labels, wide),
        "average-precision-f32": lambda: average_precision_score(labels, narrow),
        "f1-max-f32": lambda: f1_max(labels, narrow),
        "pixel-auroc": lambda: roc_auc_score(masks.reshape(-1), maps.reshape(-1)),
        "aupro-0.3": lambda: aupro(maps, masks, 0.3),
        "pro-per-image": lambda: pro_per_image(maps[:40], masks[:40]),
    }


table = {}
for line in sys.stdin:
    command, argument = line.rstrip("\n").split(" ", 1)
    if command == "load":
        table = cases(Path(argument))
        print("loaded", flush=True)
    else:
        start = time.perf_counter()
        value = table[argument]()
        print(time.perf_counter() - start, float(value), flush=True)
