"""A config is bounded before it is validated, in a file, on the command line or in a checkpoint."""

import json
import tracemalloc
from pathlib import Path

import pytest

from charrnn.config.bounds import MAX_CHARACTERS, MAX_DEPTH, MAX_VALUES, require_bounded
from charrnn.config.layers import check_config, load_config
from charrnn.errors import InputError, UsageError
from charrnn.setup.loading import load_checkpoint
from tests.hostile import opened, sealed

LISTS = [[]] * 400_000
DEEP = [0]
for _ in range(MAX_DEPTH + 1):
    DEEP = [DEEP]
TOO_MUCH = {
    "lists": ("data", "text", LISTS),
    "names": ("data", "text", ["x"] * 300_000),
    "long names": ("data", "text", ["x" * 4000] * 300),
    "a long name": ("data", "text", ["x" * 5000]),
    "keys": ("data", "more", {f"k{n}": 1 for n in range(200_000)}),
    "a long key": ("data", "k" * 1_000_000, 1),
    "depth": ("data", "text", DEEP),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_a_config_in_a_checkpoint_is_bounded(charrnn, tmp_path, trained, name) -> None:
    tensors, metadata = opened(trained / "checkpoints/last.safetensors")
    config = json.loads(metadata["config"])
    section, key, value = TOO_MUCH[name]
    config[section][key] = value
    path = tmp_path / "file.safetensors"
    path.write_bytes(sealed(tensors, metadata | {"config": json.dumps(config)}))
    tracemalloc.start()
    with pytest.raises(InputError):
        load_checkpoint(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6 + 20 * path.stat().st_size
    outcome = charrnn("inspect", path)
    assert outcome.code == 3
    assert len(outcome.err) < 1000


@pytest.mark.parametrize("key", ["config", "progress", "vocabulary", "text_digest"])
def test_metadata_that_is_too_long_is_not_parsed(tmp_path, trained, key) -> None:
    tensors, metadata = opened(trained / "checkpoints/last.safetensors")
    path = tmp_path / "file.safetensors"
    path.write_bytes(sealed(tensors, metadata | {key: "[" + "[]," * 4_000_000 + "[]]"}))
    tracemalloc.start()
    with pytest.raises(InputError):
        load_checkpoint(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * path.stat().st_size


def test_the_same_bounds_hold_for_a_file_and_the_command_line(tmp_path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("data:\n  text:\n" + "  - x\n" * (MAX_VALUES + 1))
    for load in (
        lambda: load_config(str(path), [], {}),
        lambda: load_config(None, [], {"data": {"text": ["x"] * (MAX_VALUES + 1)}}),
        lambda: check_config({"data": {"text": ["x"] * (MAX_VALUES + 1)}}),
    ):
        with pytest.raises(UsageError, match=f"more than {MAX_VALUES:,} values"):
            load()
    with pytest.raises(UsageError, match="has too many sections"):
        load_config(None, [".".join("a" * 2000) + "=1"], {})


def test_what_is_within_the_bounds_is_accepted() -> None:
    names = [f"{n:040}" for n in range(15_000)]
    config = load_config(None, [], {"data": {"text": names}})
    assert config.data.text == names
    require_bounded({"a": [["x" * 4096] * (MAX_CHARACTERS // 4096 - 1)]})
    with pytest.raises(ValueError, match="more than 20,000 values"):
        require_bounded([[]] * 30_000)
    with pytest.raises(ValueError, match="its values have more than"):
        require_bounded(["x" * 4096] * (MAX_CHARACTERS // 4096 + 1))


def test_paths_that_become_too_long_when_absolute_are_refused_before_training(
    charrnn, tmp_path, monkeypatch
) -> None:
    """A checkpoint with them could not be read again."""
    folder = tmp_path / ("d" * 200)
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("text.txt").write_text("some text " * 100)
    outcome = charrnn("train", *["text.txt"] * 5000, "--max-steps", 1, "--out", "run")
    assert outcome.code == 2
    assert "the config is too large" in outcome.err
    assert not Path("run").exists()
