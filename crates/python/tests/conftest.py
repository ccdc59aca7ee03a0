"""Pictures that tests train on: textures, some with a bright spot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ckaad

SIDE = 64


def picture(seed: int, anomalous: bool, side: int = SIDE) -> np.ndarray:
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    waves = 110 + 50 * np.sin(rows / 5.0 + random.uniform(0, 6)) * np.cos(columns / 7.0)
    image = np.stack([waves, waves + 10, waves - 10], axis=-1) + random.normal(0, 4, (side, side, 3))
    if anomalous:
        row, column = random.integers(8, side - 24, 2)
        image[row : row + 16, column : column + 16] = (250, 240, 20)
    return image.clip(0, 255).astype(np.uint8)


def write(folder: Path, seeds: range, anomalous: bool) -> None:
    folder.mkdir(parents=True)
    for seed in seeds:
        Image.fromarray(picture(seed, anomalous)).save(folder / f"{seed:03}.png")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write(root / "good", range(48), anomalous=False)
    write(root / "bad", range(100, 112), anomalous=True)
    write(root / "test" / "good", range(200, 208), anomalous=False)
    write(root / "test" / "bad", range(300, 308), anomalous=True)
    return root


# Small and without a download; what it learns is enough for these pictures.
SMALL = {"image_size": SIDE, "random_features": True}


@pytest.fixture(scope="session")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "padim"
    return ckaad.train(out, normal=data / "good", test=data / "test", detector="padim", **SMALL)


@pytest.fixture(scope="session")
def model(run: Path) -> ckaad.Predictor:
    return ckaad.Predictor(run)
