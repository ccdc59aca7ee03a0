"""Runs from Python are those of the command line."""

from __future__ import annotations

import _thread
import json
import logging
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import SMALL

import ckaad

# Learns in epochs, fast on few images.
EPOCHS = {"detector": "ckaad", "method": "recon", "batch": 4, **SMALL}


def test_progress_is_told(data: Path, tmp_path: Path) -> None:
    events: list[dict] = []
    run = ckaad.train(tmp_path / "run", normal=data / "test" / "good", epochs=2, progress=events.append, **EPOCHS)
    assert run == tmp_path / "run" and (run / "model.safetensors").is_file()
    kinds = [event["event"] for event in events]
    assert kinds.count("prepared") == 1 and kinds.count("epoch") == 2
    read = [event for event in events if event.get("what") == "reading images"]
    assert read[0]["total"] >= read[0]["done"] >= 1
    last = [event for event in events if event["event"] == "epoch"][-1]
    assert (last["epoch"], last["epochs"]) == (2, 2) and last["losses"] and last["seconds"] > 0
    config = ckaad.Predictor(run).info["config"]
    assert (config["batch"], config["epochs"], config["detector"]["method"]) == (4, 2, "recon")


def test_settings_of_every_kind(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text("seed = 5\nalpha = 0.1\n[detector]\nname = 'patchcore'\ncoreset = 0.5\n")
    run = ckaad.train(
        tmp_path / "run",
        normal=data / "good",
        config=file,
        seed=np.int64(7),
        settings={"detector": {"coreset": 1}, "calibration": 0.5, "data": {"page": None}},
        **SMALL,
    )
    config = ckaad.Predictor(run).info["config"]
    assert (config["seed"], config["alpha"], config["calibration"]) == (7, 0.1, 0.5)
    assert (config["detector"]["name"], config["detector"]["coreset"]) == ("patchcore", 1.0)


def test_interrupted_it_stops_with_a_checkpoint_and_goes_on(data: Path, tmp_path: Path) -> None:
    given = {"normal": data / "test" / "good", "epochs": 3, **EPOCHS}
    whole = ckaad.train(tmp_path / "whole", **given)

    def press_ctrl_c(event: dict) -> None:
        if event["event"] == "epoch" and event["epoch"] == 1:
            _thread.interrupt_main()
            # Longer than it takes to be seen, on a busy machine, too.
            time.sleep(3)

    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        ckaad.train(run, progress=press_ctrl_c, **given)
    assert (run / "checkpoint" / "last.safetensors").is_file()
    assert not (run / "model.safetensors").exists()
    assert ckaad.resume(run) == run
    # Bit for bit what was never interrupted.
    scores = [ckaad.Predictor(of).predict(data / "test").scores for of in (run, whole)]
    np.testing.assert_array_equal(*scores)
    with pytest.raises(ValueError, match="a run goes on with its own settings"):
        ckaad.resume(run, settings={"batch": 4})


def test_stopped_early_it_leaves_nothing(data: Path, tmp_path: Path) -> None:
    def refuse(event: dict) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        ckaad.train(tmp_path / "run", normal=data / "good", progress=refuse, **EPOCHS)
    assert not (tmp_path / "run").exists()


def test_a_run_is_evaluated(run: Path, data: Path, tmp_path: Path) -> None:
    report = ckaad.evaluate(run)
    assert report == json.loads((run / "report.json").read_text())
    image = report["last"]["image"]
    found = ckaad.Predictor(run).predict([data / "test" / "bad", data / "test" / "good"])
    labels = ["bad" in Path(path).parts for path in found.paths]
    assert ckaad.metrics.auroc(found.scores, labels) == image["image_auroc"]
    other = ckaad.evaluate(run, test=data / "test", out=tmp_path / "results", controls=True)
    assert other["last"]["image"] == image and other["controls"]
    assert (tmp_path / "results" / "report.json").is_file()
    with pytest.raises(ckaad.CkaadError):
        ckaad.evaluate(run, test=data / "test", out=tmp_path / "results")
    with pytest.raises(ValueError, match="test, which is missing"):
        ckaad.evaluate(run, masks=data)


def test_detectors_are_compared(data: Path, tmp_path: Path) -> None:
    places = {"normal": data / "good", "anomalous": data / "bad", "test": data / "test"}
    out = tmp_path / "compared"
    found = ckaad.compare(out, detectors=["gaussian", "probe"], pick=tmp_path / "best", **places, **SMALL)
    assert {of["name"] for of in found["detectors"]} == {"gaussian", "probe"}
    assert found == json.loads((out / "comparison.json").read_text())
    chosen = out / found["recommended"]["detector"] / "model.safetensors"
    assert (tmp_path / "best" / "model.safetensors").read_bytes() == chosen.read_bytes()
    # The same call goes on, and finds everything trained.
    assert ckaad.compare(out, detectors=["gaussian", "probe"], **places, **SMALL)["recommended"] == found["recommended"]


def test_warnings_are_logged(data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="ckaad"):
        ckaad.train(tmp_path / "run", normal=data / "test" / "good", epochs=1, **{**EPOCHS, "batch": 99})
    assert any("fewer than a batch" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"settings": {"epoch": 3}}, "unknown field `epoch`"),
        ({"detector": "nothing"}, "nothing"),
        ({"image_size": 50}, "image_size = 50"),
        ({"device": "gpu"}, "names no device"),
        ({"weights": "w.pth", "random_features": True}, "random_features have no weights"),
        ({"layout": "chest-xray"}, "say where the images are in exactly one way"),
    ],
)
def test_settings_that_cannot_be(data: Path, tmp_path: Path, given: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        ckaad.train(tmp_path / "run", **{"normal": data / "good", **given})
    assert not (tmp_path / "run").exists()


def test_what_is_missing(tmp_path: Path, run: Path) -> None:
    with pytest.raises(ValueError, match="give normal besides"):
        ckaad.train(tmp_path / "run", test=tmp_path)
    with pytest.raises((ckaad.CkaadError, OSError), match="nowhere"):
        ckaad.train(tmp_path / "run", normal=tmp_path / "nowhere", **SMALL)
    with pytest.raises(ckaad.CkaadError, match="exists already"):
        ckaad.train(run, normal=tmp_path, detector="padim")
    with pytest.raises(TypeError):
        ckaad.train(tmp_path / "run", epoch=3)
    assert "cpu" in ckaad.devices()
