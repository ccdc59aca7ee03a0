"""What the README and the example show works."""

from __future__ import annotations

import functools
import runpy
import sys
from pathlib import Path

import pytest
from conftest import SMALL

import ckaad

HERE = Path(__file__).parent.parent


def blocks(text: str) -> list[str]:
    return [block.split("```")[0] for block in text.split("```python\n")[1:]]


def test_readme(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("good", "bad", "test"):
        (tmp_path / name).symlink_to(data / name, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    # Small pictures and random features.
    monkeypatch.setattr(ckaad, "train", functools.partial(ckaad.train, **SMALL))
    found = blocks((HERE / "README.md").read_text(encoding="utf-8"))
    assert len(found) >= 3
    known: dict = {}
    for block in found:
        if "onnxruntime" in block:
            pytest.importorskip("onnxruntime")
        exec(compile(block, "README.md", "exec"), known)
    assert (tmp_path / "runs" / "mine" / "report.json").is_file()


def test_first_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(sys, "argv", ["first_steps.py", str(tmp_path)])
    runpy.run_path(str(HERE / "examples" / "first_steps.py"))
    said = capsys.readouterr().out
    assert said.count(": anomalous") == 2 and said.count(": normal") == 2, said
    assert (tmp_path / "heat.png").is_file()
