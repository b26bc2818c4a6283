"""The main job on a system without POSIX, in a locale without Unicode."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from charrnn.system import quoting
from tests.conftest import RHYME, TINY

ROOT = Path(__file__).parent.parent
CP1252 = {"PYTHONIOENCODING": "cp1252"}
ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}


def without_posix(locale: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-m", "tests.without_posix", *arguments],
        env=os.environ | locale | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
    )


def test_the_main_job_needs_no_posix(charrnn) -> None:
    Path("texts/b").mkdir(parents=True)
    Path("texts/B.txt").write_text(RHYME * 6, encoding="utf-8")
    Path("texts/b/a.txt").write_text("─ █ ‖ é\n" + RHYME * 6, encoding="utf-8")
    train = ["train", "texts", *TINY, "--include", "b/*", "--include", "B.txt", "--max-steps", "60"]
    assert charrnn(*train, "--out", "whole").code == 0

    train = [*train, "--set", "checkpoints.every=1e-6", "--out", "run"]
    stopped = without_posix(CP1252, "--stop-at-save", "9", json.dumps([train]))
    assert stopped.returncode == 130, stopped.stderr
    assert "everything is saved" in stopped.stderr
    commands = [
        ["runs", "."],
        ["train", "--resume", "run"],
        ["eval", "run", "texts"],
        ["report", "run"],
        ["plot", "run", "--out", "plot.svg"],
        ["gradcheck", "run", "--fast"],
        ["gradflow", "run"],
        ["explain"],
        ["inspect", "texts"],
        ["sample", "run", "--prime", "─ █ ‖ é", "--length", "40"],
    ]
    done = without_posix(ASCII, json.dumps(commands))
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr
    assert "stopped" in done.stdout
    assert "passed: BPTT computes the gradient of the loss." in done.stdout
    assert "─ █ ‖ é" in done.stdout[-80:]
    whole, resumed = (load_file(f"{run}/checkpoints/last.safetensors") for run in ("whole", "run"))
    assert all(np.array_equal(whole[name], resumed[name]) for name in whole)


def test_paths_are_quoted_for_the_shells_of_windows(monkeypatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    paths = (r"runs\a", r"C:\my runs\a", "C:\\my runs\\", "a&b", "")
    assert [*map(quoting.quote, paths)] == [
        r"runs\a", r'"C:\my runs\a"', r'"C:\my runs\\"', '"a&b"', '""',
    ]  # fmt: skip
    assert quoting.quote("a$(b)") == '"a`$(b)"'
    word = r'a \"b\\" c' + "\\"
    assert quoting.quote(word) == subprocess.list2cmdline([word])
