"""Checkpoints load as they were saved."""

import json
import tracemalloc
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from charrnn.errors import InputError, UsageError
from charrnn.model.activations import ACTIVATIONS
from charrnn.runs.directory import RunDirectory
from charrnn.sampling.start import passages_before, start_state
from charrnn.setup.paths import find_checkpoint
from charrnn.system.files import write_atomically
from charrnn.text.text import Text
from charrnn.training.checkpoint import encode, load
from charrnn.training.tensor_file import TensorFile, Unusable
from tests.conftest import RHYME, TINY
from tests.digests import digest_of, parsed


def test_load_undoes_save(trained: Path, tmp_path: Path) -> None:
    first = load(trained / "checkpoints/last.safetensors")
    write_atomically(tmp_path / "copy.safetensors", encode(first))
    second = load(tmp_path / "copy.safetensors")
    assert asdict(first.state.progress) == asdict(second.state.progress)
    assert (first.vocabulary, first.config, first.text_digest) == (
        second.vocabulary, second.config, second.text_digest,
    )  # fmt: skip
    pairs = [(first.state.params, second.state.params)]
    pairs += [(v, second.state.optimizer.slots[k]) for k, v in first.state.optimizer.slots.items()]
    for one, other in pairs:
        for name, array in one.named():
            assert np.array_equal(array, getattr(other, name))
    assert np.array_equal(first.state.h, second.state.h)


def test_the_model_of_a_file_is_the_average_and_a_resumed_run_trains_on(
    charrnn, text_file: Path, tmp_path: Path
) -> None:
    settings = ["--set", "training.averaging=0.2", "--set", "schedule.name=constant"]
    start = ["train", text_file, *TINY, *settings, "--out"]
    for arguments in (
        [*start, tmp_path / "whole", "--max-steps", 12],
        [*start, tmp_path / "resumed", "--max-steps", 6],
        ["train", "--resume", tmp_path / "resumed", "--max-steps", 12],
    ):
        assert charrnn(*arguments).code == 0
    path, resumed = (
        tmp_path / run / "checkpoints/last.safetensors" for run in ("whole", "resumed")
    )
    checkpoint, tensors = load(path), load_file(path)
    again, written = (parsed(content)[1] for content in (encode(checkpoint), path.read_bytes()))
    assert again["digest"] == written["digest"]
    for name, array in checkpoint.params.named():
        assert np.array_equal(array, tensors["model." + name])
    for name, array in checkpoint.state.params.named():
        assert np.array_equal(array, tensors["optimizer.trained." + name])
    assert not np.array_equal(checkpoint.params.flat, checkpoint.state.params.flat)
    text = Text.of(RHYME * 12)
    ids = checkpoint.vocabulary.encode(text)[: len(text) - round(0.1 * len(text))]
    passages = passages_before(ids, checkpoint.vocabulary.characters.index("\n"))
    found = start_state(checkpoint.params, ACTIVATIONS["tanh"], passages)
    assert np.array_equal(found, checkpoint.start)
    assert np.array_equal(checkpoint.params.flat, load(resumed).params.flat)


def test_tensors_carry_the_names_and_orientation_of_the_equations(trained: Path) -> None:
    tensors = load_file(trained / "checkpoints/best.safetensors")
    H, A = 16, tensors["model.U"].shape[1]
    shapes = {name: array.shape for name, array in tensors.items() if name.startswith("model.")}
    assert shapes == {
        "model.U": (H, A), "model.W": (H, H), "model.V": (A, H), "model.b": (H,), "model.c": (A,),
    }  # fmt: skip
    with safe_open(trained / "checkpoints/best.safetensors", framework="numpy") as file:
        metadata = {key: json.loads(value) for key, value in file.metadata().items()}
    assert len(metadata["vocabulary"]) == A
    assert metadata["config"]["model"]["hidden_size"] == H


def test_the_digest_is_as_documented(trained: Path) -> None:
    for path in (trained / "checkpoints").iterdir():
        tensors, metadata = parsed(path.read_bytes())
        assert json.loads(metadata["digest"]) == digest_of(tensors, metadata)


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_retention_keeps_the_newest_steps(tmp_path: Path) -> None:
    directory = RunDirectory.create(str(tmp_path / "run"), "name")
    for step in (5, 10, 100, 20):
        directory.write(f"step-{step}", b"x")
        directory.write("last", b"x")
        directory.retain(2)
    names = {path.name for path in directory.checkpoints.iterdir()}
    assert names == {"step-20.safetensors", "step-100.safetensors", "last.safetensors"}


def test_run_directories_are_numbered_and_never_reused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    runs = [RunDirectory.create(None, "text") for _ in range(2)]
    assert [str(run.path) for run in runs] == ["runs/text-1", "runs/text-2"]
    with pytest.raises(UsageError, match="runs/text-1 is in use: process"):
        RunDirectory.create("runs/text-1", "text")
    runs[0].release()
    again = RunDirectory.create("runs/text-1", "text")  # it is empty so far
    again.write("last", b"content")
    again.release()
    with pytest.raises(UsageError, match="already holds a run"):
        RunDirectory.create("runs/text-1", "text")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be used as a run"):
        RunDirectory.create("file/run", "text")


def test_a_directory_means_its_best_checkpoint(trained: Path, tmp_path: Path) -> None:
    assert find_checkpoint(str(trained)) == trained / "checkpoints/best.safetensors"
    with pytest.raises(InputError, match="without checkpoints/best"):
        find_checkpoint(str(tmp_path))


def test_a_file_that_is_rewritten_while_it_is_read_is_refused(tmp_path, trained) -> None:
    """In place: shorter, longer, or with other content of the same size."""
    good = (trained / "checkpoints/best.safetensors").read_bytes()
    path = tmp_path / "file.safetensors"
    for after in (good[: len(good) // 2], good + b"x", b""):
        path.write_bytes(good)
        with TensorFile(path) as file:
            path.write_bytes(after)
            with pytest.raises(Unusable, match="it changed while it was read"):
                file.read()


def test_a_file_that_is_replaced_while_it_is_read_stays_whole(tmp_path, trained) -> None:
    path = tmp_path / "file.safetensors"
    path.write_bytes((trained / "checkpoints/best.safetensors").read_bytes())
    with TensorFile(path) as file:
        write_atomically(path, b"another checkpoint")
        assert file.read().keys() == file.names


def test_a_file_is_not_mapped(trained) -> None:
    """A mapped file that becomes shorter ends the program by SIGBUS."""
    with TensorFile(trained / "checkpoints/best.safetensors") as file:
        tensors = file.read()
    assert "best.safetensors" not in Path("/proc/self/maps").read_text()
    assert tensors.keys() == file.names
    for name, array in tensors.items():
        assert file.describe(name)[1] == array.shape
        assert array.flags.writeable


@pytest.mark.parametrize(
    "header",
    [
        b"[" * 100_000,
        b"{" + b"[]," * 9_000_000,
        b'{"a": {"dtype": "F32", "shape": [1e999]}}',
        b"[]",
    ],
)
def test_a_header_is_read_in_bounded_memory(tmp_path, header) -> None:
    path = tmp_path / "file.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    tracemalloc.start()
    with pytest.raises(Unusable):
        TensorFile(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * len(header) + 1_000_000
