"""Results and verdicts, whatever becomes of the streams, the threads and the signals."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from charrnn.cli import main
from charrnn.config.layers import load_config
from charrnn.events import Noted
from charrnn.runs.start import new_run
from charrnn.training.workers import Workers, worker_threads
from tests.conftest import RHYME, TINY_SETTINGS
from tests.runs import train

CHARRNN = f"{sys.executable} -m charrnn"
QUICK = "--fast --oracle complex-step"


def shell(script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-c", script.replace("charrnn", CHARRNN)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize("closed", ["2>&-", "2> >(exec <&-)", "2>/dev/full"])
def test_a_result_needs_no_standard_error(trained, closed) -> None:
    Path("crlf.txt").write_bytes(RHYME.replace("\n", "\r\n").encode())  # for a note
    run = trained / "checkpoints/best.safetensors"
    found = shell(f"charrnn eval {run} crlf.txt {closed}; echo $?")
    assert "this network" in found.stdout
    assert found.stdout.endswith("\n0\n")


@pytest.mark.parametrize("streams", ["| true", "2>&- >&-", "> /dev/full", "2>/dev/full | true"])
def test_a_verdict_is_the_exit_code_of_any_streams(trained, streams) -> None:
    command = f"charrnn gradcheck {trained} {QUICK} --tolerance 1e-300 {streams}"
    found = shell(f"{command}; exit ${{PIPESTATUS[0]}}")
    assert found.returncode == 1, found
    assert "Traceback" not in found.stderr


def test_a_reader_that_has_read_enough_is_no_error(trained) -> None:
    command = f"charrnn gradcheck {trained} {QUICK} | true; exit ${{PIPESTATUS[0]}}"
    assert shell(command).returncode == 0
    numpy = "CHARRNN_BACKEND=numpy"  # numba would say that it compiles
    command = f"{numpy} charrnn sample {trained} --length 1000000 | head -c 9"
    command += "; exit ${PIPESTATUS[0]}"
    found = shell(command)
    assert (found.returncode, found.stderr, len(found.stdout)) == (0, "", 9)


def test_a_full_standard_output_is_an_error(trained) -> None:
    found = shell(f"charrnn sample {trained} --length 9 > /dev/full")
    assert found.returncode == 1
    assert found.stderr == "error: standard input or output: No space left on device.\n"


def test_a_removed_working_directory_is_named() -> None:
    os.mkdir("gone")
    Path("text.txt").write_text(RHYME)
    found = shell("cd gone; rmdir ../gone; charrnn train ../text.txt --max-steps 1")
    assert found.returncode == 2
    assert found.stderr.startswith("error: the working directory was removed.")


def test_a_stop_signal_ends_a_decomposition() -> None:
    """Python's own handler would wait until LAPACK returns, here after most of a minute."""
    script = (
        "import numpy as np; from charrnn.system.signals import end_at_once; end_at_once();"
        "W = np.random.default_rng(0).random((3000, 3000));"
        "print('ready', flush=True); np.linalg.eigvals(W)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout.readline() == b"ready\n"
        time.sleep(0.3)  # into LAPACK
        start = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert child.stderr.read() == b"stopped: interrupted.\n"
        assert child.wait() == 130
        assert time.monotonic() - start < 5


@pytest.mark.parametrize("path", ["/dev/fd/3", "/dev/fd/4", "/dev/stdin <&-"])
def test_no_descriptor_of_the_program_is_read_as_a_text(trained, path) -> None:
    found = shell(f"timeout 20 charrnn eval {trained} {path}")
    assert found.returncode == 3, found


def no_thread(*arguments: object, **options: object) -> None:
    raise RuntimeError("can't start new thread")


def test_without_threads_a_run_is_the_same(tmp_path, text_file, monkeypatch) -> None:
    settings = [*TINY_SETTINGS, "training.max_steps=12"]
    config = load_config(None, settings, {"data": {"text": str(text_file)}})
    train(new_run(config, str(tmp_path / "with")), [])
    monkeypatch.setattr("threading.Thread.start", no_thread)
    events: list[object] = []
    train(new_run(config, str(tmp_path / "without")), [events.append])
    assert "no thread can be started" in next(e.note for e in events if isinstance(e, Noted))
    one, other = (
        (tmp_path / name / "checkpoints/best.safetensors").read_bytes()[-4096:]
        for name in ("with", "without")
    )
    assert one == other


def test_workers_take_turns_without_threads(monkeypatch) -> None:
    monkeypatch.setattr("threading.Thread.start", no_thread)
    with worker_threads(3) as workers:
        assert not workers.all_started
        assert workers.run(lambda number: number, 3) == [0, 1, 2]
    assert Workers(1, None).all_started


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("can't start new thread"), "the computation failed: can't start new thread."),
        (np.linalg.LinAlgError("Singular matrix"), "the computation failed: Singular matrix."),
        (MemoryError(), "out of memory."),
        (ImportError("Original error was: no memory"), "a library cannot be loaded: no memory."),
        (SystemError("no exception set"), "the computation failed: no exception set."),
        (OSError(5, "Input/output error"), "standard input or output: Input/output error."),
    ],
)
def test_no_error_of_the_machine_shows_a_traceback(charrnn, monkeypatch, error, words) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(main, "app", fail)
    outcome = charrnn("inspect")
    assert outcome.code == 1
    assert outcome.err.startswith(f"error: {words}\n")


def test_an_error_that_follows_from_ctrl_c_is_an_interruption(charrnn, monkeypatch) -> None:
    def interrupt(*arguments: object, **options: object) -> None:
        lock = threading.Condition()
        try:
            raise KeyboardInterrupt  # as a signal between the calls of a lock does
        finally:
            lock.release()

    monkeypatch.setattr(main, "app", interrupt)
    outcome = charrnn("train")
    assert outcome.code == 130
    assert outcome.err == "stopped: interrupted; checkpoints saved so far are kept.\n"
