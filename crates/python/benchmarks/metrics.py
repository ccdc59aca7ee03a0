"""Times `ckaad.metrics` beside scikit-learn, NumPy, torchmetrics and anomalib, on the same arrays in the same process.

    python benchmarks/metrics.py WORKER [--rounds N] [--scores N] [--maps N]

WORKER is the program `perf_worker` of `ckaad-metrics` (`cargo build --release -p ckaad-metrics --example perf_worker`): it makes the arrays and
says what Rust finds on them, which has to be what Python finds, to the last digit. Sides whose packages are missing are left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ckaad import metrics

Case = Callable[[], float]


def aupro_numpy(maps: np.ndarray, masks: np.ndarray, limit: float) -> float:
    """By its definition: every distinct score a threshold, FPR over all normal pixels, linear up to the limit."""
    from scipy.ndimage import label

    share, regions = np.zeros(maps.shape), 0
    for image, mask in enumerate(masks):
        if mask.any():
            names, count = label(mask, structure=np.ones((3, 3)))
            share[image][mask] = 1.0 / np.bincount(names.ravel())[names[mask]]
            regions += count
    order = np.argsort(-maps.ravel(), kind="stable")
    scores, normal = maps.ravel()[order], ~masks.ravel()[order]
    ends = np.append(np.diff(scores) != 0, True)
    fpr = np.append(0, (np.cumsum(normal) / np.count_nonzero(normal))[ends])
    pro = np.append(0, (np.cumsum(share.ravel()[order]) / regions)[ends])
    inside = fpr <= limit
    x, y = fpr[inside], pro[inside]
    if x[-1] < limit:
        x, y = np.append(x, limit), np.append(y, np.interp(limit, fpr, pro))
    return float(np.trapezoid(y, x) / limit)


def torch_sides(maps: np.ndarray, masks: np.ndarray) -> dict[str, dict[str, Case]]:
    """Pixel AUROC of torchmetrics, and AUPRO of anomalib, on tensors that share the arrays' memory."""
    sides: dict[str, dict[str, Case]] = {}
    try:
        import torch
        from torchmetrics.functional.classification import binary_auroc
    except ImportError as missing:
        print(f"left out: {missing}")
        return sides
    flat, labels = torch.from_numpy(maps).flatten(), torch.from_numpy(masks).flatten().int()
    sides["pixel AUROC"] = {"torchmetrics": lambda: float(binary_auroc(flat, labels))}
    try:
        from anomalib.metrics.aupro import _AUPRO
    except ImportError as missing:
        print(f"left out: {missing}")
        return sides

    def anomalib_aupro() -> float:
        metric = _AUPRO()
        metric.update(torch.from_numpy(maps), torch.from_numpy(masks).int())
        return float(metric.compute())

    sides["AUPRO"] = {"anomalib": anomalib_aupro}
    return sides


def cases(folder: Path) -> dict[str, tuple[str | None, dict[str, Case]]]:
    """Each case: what the worker calls it, and the sides, ours first."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    labels = np.fromfile(folder / "labels.u8", np.uint8).astype(bool)
    narrow = np.fromfile(folder / "scores.f32", np.float32)
    wide = narrow.astype(np.float64)
    side = int((folder / "side.txt").read_text())
    maps = np.fromfile(folder / "maps.f32", np.float32).reshape(-1, side, side)
    masks = np.fromfile(folder / "masks.u8", np.uint8).astype(bool).reshape(maps.shape)
    torch = torch_sides(maps, masks)
    found: dict[str, tuple[str | None, dict[str, Case]]] = {
        "AUROC, float32": (
            "auroc-f32",
            {"ckaad": lambda: metrics.auroc(narrow, labels), "scikit-learn": lambda: roc_auc_score(labels, narrow)},
        ),
        "AUROC, float64": (
            "auroc-f64",
            {"ckaad": lambda: metrics.auroc(wide, labels), "scikit-learn": lambda: roc_auc_score(labels, wide)},
        ),
        "average precision, float32": (
            "average-precision-f32",
            {
                "ckaad": lambda: metrics.average_precision(narrow, labels),
                "scikit-learn": lambda: average_precision_score(labels, narrow),
            },
        ),
        "pixel AUROC": (
            "pixel-auroc",
            {
                "ckaad": lambda: metrics.pixel_auroc(maps, masks),
                "scikit-learn": lambda: roc_auc_score(masks.ravel(), maps.ravel()),
                **torch.get("pixel AUROC", {}),
            },
        ),
        "AUPRO": (
            "aupro-0.3",
            {
                "ckaad": lambda: metrics.aupro(maps, masks),
                "NumPy": lambda: aupro_numpy(maps, masks, 0.3),
                **torch.get("AUPRO", {}),
            },
        ),
        "PRO per image": ("pro-per-image", {"ckaad": lambda: metrics.pro_per_image(maps[:40], masks[:40])}),
    }
    both = {"ckaad": lambda: metrics.PixelRanking(maps, masks).figures().aupro}
    if "pixel AUROC" in torch and "AUPRO" in torch:
        def theirs() -> float:
            torch["pixel AUROC"]["torchmetrics"]()
            return torch["AUPRO"]["anomalib"]()

        both["torchmetrics + anomalib"] = theirs
    found["pixel AUROC + AUPRO"] = (None, both)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("worker", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scores", type=int, default=10_000_000)
    parser.add_argument("--maps", type=int, default=400)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(
        [args.worker], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as worker:

        def ask(command: str) -> str:
            worker.stdin.write(command + "\n")
            return worker.stdout.readline().strip()

        ask(f"make {folder} {args.scores} {args.maps} 256")
        ask(f"load {folder}")
        print(f"{args.scores} scores, {args.maps} maps of 256 x 256, {os.cpu_count()} cores, medians of {args.rounds} turns")
        print("| case | side | median [s] | ratio of medians | lowest ratio of a turn | figure |\n|---|---|---|---|---|---|")
        for name, (case, sides) in cases(Path(folder)).items():
            times: dict[str, list[float]] = {side: [] for side in sides}
            figures: dict[str, float] = {}
            for _ in range(args.rounds):
                for side, run in sides.items():
                    start = time.perf_counter()
                    figures[side] = run()
                    times[side].append(time.perf_counter() - start)
            if case is not None:
                rust = float(ask(f"run {case}").split()[1])
                assert figures["ckaad"] == rust, (name, figures["ckaad"], rust)
            ours = times["ckaad"]
            for side, theirs in times.items():
                ratio = statistics.median(theirs) / statistics.median(ours)
                least = min(b / a for a, b in zip(ours, theirs))
                print(
                    f"| {name} | {side} | {statistics.median(theirs):.3f} | {ratio:.1f} | {least:.1f} | {figures[side]!r} |",
                    flush=True,
                )
        worker.stdin.close()
    print("figures of ckaad are those of Rust, to the last digit")


if __name__ == "__main__":
    main()
