"""PatchCore and PaDiM beside anomalib's: training and scoring by turns, on the same images and weights, in the same process.

    python benchmarks/detectors.py DATA/magnetic_tile tile resnet18.safetensors [--size 128] [--turns 3]

The folder is in MVTec AD's layout, the weights are torchvision's of ResNet-18. Training goes from picture files to a model, scoring from a picture file
to a score and a map, one picture at a time. Maps are compared with the masks at 256 x 256. Images are resized to squares by either side's own
filter for smaller pictures. PatchCore keeps 1 % and looks at stages 2 and 3, PaDiM keeps 100 channels of stages 1 to 3: anomalib's defaults.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TQDM_DISABLE", "1")  # a line per item of the coreset

import ckaad
import numpy as np
import torch
from anomalib.models.image.padim.torch_model import PadimModel
from anomalib.models.image.patchcore.torch_model import PatchcoreModel
from ckaad import metrics
from PIL import Image
from safetensors.torch import load_file
from torchvision.transforms import v2

COMPARED = 256
CORESET = 0.01

Scored = tuple[float, np.ndarray]


class Anomalib:
    """A detector of anomalib's, by its own network and functions, without Lightning."""

    def __init__(self, detector: str, size: int, weights: Path, seed: int) -> None:
        torch.manual_seed(seed)
        make: Any = {
            "patchcore": lambda: PatchcoreModel(["layer2", "layer3"], "resnet18", pre_trained=False),
            "padim": lambda: PadimModel("resnet18", ["layer1", "layer2", "layer3"], pre_trained=False),
        }[detector]
        self.model = make()
        missing, _ = self.model.feature_extractor.feature_extractor.load_state_dict(load_file(weights), strict=False)
        assert not missing, missing
        normalise = v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        resize = v2.Resize((size, size), antialias=True)
        self.prepare = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), resize, normalise])

    def read(self, file: Path) -> torch.Tensor:
        with Image.open(file) as picture:
            prepared: torch.Tensor = self.prepare(picture.convert("RGB"))
        return prepared

    @torch.no_grad()
    def train(self, files: list[Path]) -> None:
        self.model.train()
        # Lightning leaves the frozen network's norms as they are.
        self.model.feature_extractor.eval()
        for start in range(0, len(files), 32):
            self.model(torch.stack([self.read(file) for file in files[start : start + 32]]))
        if isinstance(self.model, PatchcoreModel):
            self.model.subsample_embedding(CORESET)
        else:
            self.model.fit()
        self.model.eval()

    @torch.no_grad()
    def score(self, file: Path) -> Scored:
        found = self.model(self.read(file)[None])
        return float(found.pred_score), found.anomaly_map[0, 0].numpy()


class Ours:
    """The same detector of this package, with its defaults but for the share that PatchCore keeps."""

    def __init__(self, detector: str, data: Path, category: str, size: int, weights: Path, seed: int) -> None:
        settings: dict[str, Any] = {"stages": [1, 2, 3] if detector == "padim" else [2, 3]}
        if detector == "patchcore":
            settings["detector"] = {"coreset": CORESET}
        self.options: dict[str, Any] = {
            "layout": "mvtec-ad", "data": data, "category": category, "detector": detector, "image_size": size, "weights": weights,
            "seed": seed, "settings": settings,
        }  # fmt: skip

    def train(self, run: Path) -> None:
        ckaad.train(run, **self.options)
        self.model = ckaad.Predictor(run)

    def score(self, file: Path) -> Scored:
        found = self.model.predict(file)
        return float(found.scores[0]), found.maps[0]


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock and of the processor, after a rest that lets idle threads of the other side fall asleep."""
    time.sleep(0.5)
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def figures(scored: list[Scored], masks: list[np.ndarray]) -> str:
    """Image AUROC, pixel AUROC and AUPRO to 0.3, in percent."""
    labels = np.array([mask.any() for mask in masks])
    maps = torch.stack([torch.from_numpy(np.ascontiguousarray(found)) for _, found in scored])[:, None]
    large = torch.nn.functional.interpolate(maps, (COMPARED, COMPARED), mode="bilinear")[:, 0].numpy()
    pixels = metrics.PixelRanking(large, np.stack(masks)).figures(0.3)
    image = metrics.auroc(np.array([score for score, _ in scored]), labels)
    return f"image AUROC {image * 100:.1f}, pixel AUROC {pixels.auroc * 100:.1f}, AUPRO {pixels.aupro * 100:.1f}"


def mask_of(file: Path, truth: Path) -> np.ndarray:
    if file.parent.name == "good":
        return np.zeros((COMPARED, COMPARED), dtype=bool)
    with Image.open(truth / file.parent.name / f"{file.stem}_mask.png") as picture:
        return np.asarray(picture.convert("L").resize((COMPARED, COMPARED), Image.Resampling.NEAREST)) > 127


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("category")
    parser.add_argument("weights", type=Path)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--detectors", default="padim,patchcore")
    given = parser.parse_args()
    root = given.data / given.category
    normal = sorted((root / "train" / "good").iterdir())
    test = sorted(file for kind in (root / "test").iterdir() for file in kind.iterdir())
    masks = [mask_of(file, root / "ground_truth") for file in test]
    print(f"{len(normal)} normal images, {len(test)} for the test, {given.size} pixels, {torch.get_num_threads()} threads, {given.turns} turns")
    for detector in given.detectors.split(","):
        training: dict[str, list[tuple[float, float]]] = {"ckaad": [], "anomalib": []}
        scoring: dict[str, list[float]] = {"ckaad": [], "anomalib": []}
        for turn in range(given.turns):
            ours = Ours(detector, given.data, given.category, given.size, given.weights, 111 + turn)
            theirs = Anomalib(detector, given.size, given.weights, 111 + turn)
            with tempfile.TemporaryDirectory() as folder:
                training["ckaad"].append(timed(lambda: ours.train(Path(folder) / "run")))  # noqa: B023
            training["anomalib"].append(timed(lambda: theirs.train(normal)))  # noqa: B023
            scored: dict[str, list[Scored]] = {"ckaad": [], "anomalib": []}
            # Some images at a time, so that either side is in its stride.
            for start in range(0, len(test), 50):
                for name, score in (("ckaad", ours.score), ("anomalib", theirs.score)):
                    part = test[start : start + 50]
                    clock, _ = timed(lambda: scored[name].extend(score(file) for file in part))  # noqa: B023
                    scoring[name].append(clock / len(part))
            for name, found in scored.items():
                print(f"{detector}, {name}, seed {111 + turn}: {figures(found, masks)}", flush=True)
        for name in training:
            clock, processor = (statistics.median(column) for column in zip(*training[name]))
            print(f"{detector}, {name}: training {clock:.1f} s ({processor:.1f} s of the processor), an image {statistics.median(scoring[name]) * 1e3:.1f} ms")
        ratio = [mine[0] / other[0] for mine, other in zip(training["ckaad"], training["anomalib"])]
        image = [mine / other for mine, other in zip(scoring["ckaad"], scoring["anomalib"])]
        print(f"{detector}: ckaad / anomalib, medians of turns: training {statistics.median(ratio):.3f}, an image {statistics.median(image):.3f}", flush=True)


if __name__ == "__main__":
    main()
