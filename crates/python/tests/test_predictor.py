"""Scores of pictures, however they come."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from conftest import SIDE, picture, write
from PIL import Image

import ckaad


def same(a: ckaad.Predictions, b: ckaad.Predictions) -> None:
    np.testing.assert_array_equal(a.scores, b.scores)
    np.testing.assert_array_equal(a.maps, b.maps)


def test_what_is_found(model: ckaad.Predictor, data: Path) -> None:
    found = model.predict(data / "test")
    assert len(found) == 16 and found.errors == [None] * 16
    assert [Path(path).parent.name for path in found.paths] == ["bad"] * 8 + ["good"] * 8
    assert found.scores.dtype == np.float64 and found.scores.shape == (16,)
    assert found.anomalous.dtype == bool
    np.testing.assert_array_equal(found.anomalous, found.scores >= model.threshold)
    assert found.maps.dtype == np.float32 and found.maps.shape == (16, SIDE, SIDE)
    assert ckaad.metrics.auroc(found.scores, [1] * 8 + [0] * 8) > 0.9
    # As held-out images promise it.
    calibration = ckaad.metrics.Calibration(model.info["calibration"])
    np.testing.assert_array_equal(found.p_values, calibration.p_value(found.scores))
    assert model.predict(data / "test", maps=False).maps is None


def test_every_way_to_give_a_picture(model: ckaad.Predictor, data: Path) -> None:
    files = sorted((data / "test" / "bad").iterdir())
    expected = model.predict(data / "test" / "bad")
    opened = [Image.open(file) for file in files]
    arrays = np.stack([np.asarray(image) for image in opened])
    for given in [files, [str(file) for file in files], opened, arrays, list(arrays), [opened[0], *arrays[1:]]]:
        same(model.predict(given), expected)
    for given in [files[0], opened[0], arrays[0], arrays[:1]]:
        one = model.predict(given)
        np.testing.assert_allclose(one.scores, expected.scores[:1], rtol=1e-6)
    # Blue, green, red turned around, and rows from a larger picture: both lie in no order that could be taken as it is.
    larger = np.zeros((SIDE + 10, SIDE + 20, 3), dtype=np.uint8)
    larger[5:-5, 10:-10] = arrays[0]
    same(model.predict(larger[5:-5, 10:-10]), model.predict(arrays[0]))
    same(model.predict(np.ascontiguousarray(arrays[0][..., ::-1])[..., ::-1]), model.predict(arrays[0]))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_pillow_decodes_as_we_do(model: ckaad.Predictor, tmp_path: Path) -> None:
    image = Image.fromarray(picture(5, True, side=150)).crop((0, 0, 150, 113))
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {
        "plain.png": encoded(image, "PNG"),
        "grey.png": encoded(image.convert("L"), "PNG"),
        "palette.png": encoded(image.convert("P"), "PNG"),
        "alpha.png": encoded(image.convert("RGBA"), "PNG"),
        "best.jpg": encoded(image, "JPEG", quality=95),
        "usual.jpg": encoded(image, "JPEG", quality=75),
        "progressive.jpg": encoded(image, "JPEG", progressive=True),
        "grey.jpg": encoded(image.convert("L"), "JPEG"),
        "turned.jpg": encoded(image, "JPEG", exif=exif),
        "bitmap.bmp": encoded(image, "BMP"),
        "plain.tiff": encoded(image, "TIFF"),
        "lossless.webp": encoded(image, "WEBP", lossless=True),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    paths = [tmp_path / name for name in files]
    ours = model.predict(paths)
    theirs = model.predict([Image.open(path) for path in paths])
    for name, a, b in zip(files, ours.scores, theirs.scores):
        assert a == b, name
    np.testing.assert_array_equal(ours.maps, theirs.maps)


def test_what_the_model_says(model: ckaad.Predictor, run: Path) -> None:
    info = model.info
    assert info["config"]["detector"]["name"] == "padim"
    assert info["preprocessing"]["size"] == SIDE
    assert info["threshold"]["value"] == model.threshold
    info["config"] = None
    assert model.info["config"] is not None
    assert repr(model) == f"Predictor(padim on resnet18, {SIDE} pixels)"
    assert ckaad.Predictor(run / "model.safetensors").info == model.info


def test_thresholds(model: ckaad.Predictor, data: Path) -> None:
    images = data / "test"
    scores = model.predict(images).scores
    low = model.predict(images, threshold=0.0)
    assert low.anomalous.all() and low.threshold == 0.0
    loose = model.predict(images, alpha=0.5)
    assert loose.threshold <= model.threshold
    np.testing.assert_array_equal(loose.anomalous, scores >= loose.threshold)
    for wrong in [{"threshold": 1.0, "alpha": 0.1}, {"threshold": float("nan")}, {"alpha": 2.0}]:
        with pytest.raises(ValueError):
            model.predict(images, **wrong)


def test_what_cannot_be_read_is_named(model: ckaad.Predictor, tmp_path: Path) -> None:
    write(tmp_path / "new", range(3), anomalous=False)
    (tmp_path / "new" / "001.png").write_bytes(b"no picture")
    with pytest.raises(ckaad.CkaadError, match=r"001\.png"):
        model.predict(tmp_path / "new")
    found = model.predict(tmp_path / "new", skip_bad=True)
    assert np.isnan(found.scores).tolist() == [False, True, False]
    assert np.isnan(found.maps[1]).all() and not found.anomalous[1]
    assert "001.png" in found.errors[1] and found.errors[0] is None


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (np.zeros((4, 4, 3), dtype=np.float32), "images are of type float32; they must be uint8, as decoded"),
        (np.zeros((4, 4), dtype=np.uint8), r"an image has the shape \[4, 4\]; it must be \(height, width, 3\)"),
        (np.zeros((0, 4, 3), dtype=np.uint8), "must be"),
        (Image.new("I;16", (4, 4)), "a Pillow image of mode I;16"),
        (["a.png", np.zeros((4, 4, 3), dtype=np.uint8)], "either files or images"),
    ],
)
def test_what_is_no_picture_is_refused(model: ckaad.Predictor, given: object, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        model.predict(given)


def test_no_images_are_no_predictions(model: ckaad.Predictor) -> None:
    assert len(model.predict([])) == 0


def test_models_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ckaad.CkaadError, match="is no run folder"):
        ckaad.Predictor(tmp_path)
    (tmp_path / "model").write_bytes(b"nothing")
    with pytest.raises(ckaad.CkaadError, match="no usable model file"):
        ckaad.Predictor(tmp_path / "model")
    with pytest.raises(ValueError, match="names no device"):
        ckaad.Predictor(tmp_path / "model", device="gpu")
