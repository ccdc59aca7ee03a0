"""PyTorch's side of the whole processes of `cargo xtask perf speed`.

    predict.py WEIGHTS SIZE FILES OUT             scores an image or a folder of them, draws heat maps
    predict.py WEIGHTS SIZE FILES OUT --no-maps   scores only
    predict.py WEIGHTS SIZE --make                writes random weights
"""
import csv
import pathlib
import sys

import numpy
import torch
import torch.nn.functional as F
from PIL import Image
from reference import Scorer, score, tensor

BATCH = 8


def overlay(picture, anomaly_map, path):
    """Writes the picture with the map over it in colours from blue to red."""
    level = torch.from_numpy(anomaly_map)[None, None]
    level = F.interpolate(level, size=picture.size[::-1], mode="bilinear", align_corners=True)[0, 0].numpy()
    level = ((level - level.min()) / max(float(level.max() - level.min()), 1e-9))[..., None]
    centres = numpy.array([0.75, 0.5, 0.25], numpy.float32)
    colours = (1.5 - numpy.abs(4 * (level - centres))).clip(0, 1) * 255
    mixed = 0.6 * numpy.asarray(picture, numpy.float32) + 0.4 * colours
    Image.fromarray(mixed.round().astype(numpy.uint8)).save(path, compress_level=1)


def open_picture(path):
    with Image.open(path) as picture:
        return picture.convert("RGB")


def main():
    weights, size, *rest = sys.argv[1:]
    scorer = Scorer(int(size))
    if rest == ["--make"]:
        torch.save([scorer.backbone.state_dict(), scorer.auto_encoder.state_dict()], weights)
        return
    backbone, auto_encoder = torch.load(weights, weights_only=True)
    scorer.backbone.load_state_dict(backbone)
    scorer.auto_encoder.load_state_dict(auto_encoder)
    files, out = map(pathlib.Path, rest[:2])
    files = sorted(files.iterdir()) if files.is_dir() else [files]
    rows = []
    for first in range(0, len(files), BATCH):
        batch = files[first:first + BATCH]
        pictures = [open_picture(path) for path in batch]
        maps = scorer.maps(torch.stack([tensor(picture, scorer.size) for picture in pictures]))
        for path, picture, anomaly_map in zip(batch, pictures, maps):
            rows.append((path, score(anomaly_map)))
            if "--no-maps" not in rest:
                overlay(picture, anomaly_map, out / f"{path.stem}_heatmap.png")
    with open(out / "predictions.csv", "w", newline="") as file:
        csv.writer(file).writerows([("path", "score"), *rows])


if __name__ == "__main__":
    main()
