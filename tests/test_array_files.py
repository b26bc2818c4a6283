"""Arrays in files of the cache: round trips, damage, what is remembered."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.system import array_files
from charrnn.system.array_files import (
    FOOTER_BYTES,
    SAMPLE_BYTES,
    SAMPLES,
    array_path,
    facts_of,
    open_array,
    remembered,
    write_array,
)

FACTS = {"label": "a.txt", "characters": "ab\n\u00e9\U0001f600", "lengths": [3, -1]}
ARRAY = np.arange(70_000, dtype=np.uint16)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ids"


def written(array: np.ndarray = ARRAY, name: str = "one") -> Path:
    write_array(name, array.dtype, len(array), iter([array[:5], array[5:]]), FACTS)
    return array_path(name)


@given(
    st.lists(st.lists(st.integers(0, 255), max_size=9), min_size=1).filter(any),
    st.sampled_from(["u1", "u2", "u4"]),
)
def test_what_is_written_is_mapped(tmp_path_factory, chunks: list[list[int]], dtype: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARRNN_CACHE", str(tmp_path_factory.mktemp("cache")))
        whole = np.concatenate([np.array(chunk, dtype) for chunk in chunks])
        write_array("one", dtype, len(whole), (np.array(c, dtype) for c in chunks), FACTS)
        found = open_array("one")
        assert found is not None
        assert found.array.dtype == whole.dtype
        assert np.array_equal(found.array, whole)
        assert type(found.array) is np.ndarray  # slices of it are as fast as in memory
        assert not found.array.flags.writeable
        assert found.facts == FACTS == facts_of(array_path("one"))


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


DAMAGE: list[Callable[[Path], object]] = [
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(path.read_bytes()[:-1]),
    lambda path: path.write_bytes(path.read_bytes()[1:]),
    lambda path: path.write_bytes(path.read_bytes()[: ARRAY.nbytes]),
    lambda path: path.write_bytes(b"x" + path.read_bytes()),
    lambda path: path.write_bytes(b"x" * len(path.read_bytes())),
    lambda path: path.write_bytes(path.read_bytes()[-FOOTER_BYTES:]),
    lambda path: flip(path, 0),
    lambda path: flip(path, ARRAY.nbytes - 1),
    lambda path: flip(path, ARRAY.nbytes // 2),
    *(lambda path, back=back: flip(path, -back) for back in (1, 9, 17, 30, 60, 99)),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found(damage: Callable[[Path], object]) -> None:
    path = written()
    assert open_array("one")
    damage(path)
    assert open_array("one") is None
    assert facts_of(path) is None
    written()
    assert open_array("one")


@pytest.mark.parametrize("more", [-1, 1])
def test_another_size_is_damage_even_of_equal_values(more: int) -> None:
    path = written(np.zeros(2 * SAMPLE_BYTES, np.uint8))
    content = path.read_bytes()
    path.write_bytes(content[1:] if more < 0 else b"\0" + content)
    assert open_array("one") is None


def test_blocks_of_a_large_array_are_compared() -> None:
    """Which are spread evenly, the first and the last bytes among them."""
    size = 4 * SAMPLES * SAMPLE_BYTES
    path = written(np.zeros(size, np.uint8))
    for position in (0, 10 * (size - SAMPLE_BYTES) // (SAMPLES - 1), size - 1):
        flip(path, position)
        assert open_array("one") is None
        flip(path, position)
    assert open_array("one")


@pytest.mark.parametrize("count", [len(ARRAY) - 1, len(ARRAY) + 1])
def test_another_length_is_refused(folder: Path, count: int) -> None:
    with pytest.raises(ValueError, match="bytes"):
        write_array("one", ARRAY.dtype, count, iter([ARRAY]), {})
    assert not [*folder.iterdir()]


def test_a_full_disk_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_files, "free_bytes", lambda: ARRAY.nbytes - 1)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        written()
    assert not [*folder.iterdir()]


WRITER = """
import time, numpy as np
from charrnn.system.array_files import write_array
from charrnn.system.signals import end_at_once
end_at_once()
def chunks():
    yield np.zeros(9, np.uint8)
    print("ready", flush=True)
    time.sleep(60)
write_array("one", np.uint8, 99, chunks(), {})
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends other signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_stop_signal_removes_what_was_written(folder: Path, name: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == b"ready\n"
        assert [*array_files.leftovers(folder)]
        child.send_signal(getattr(signal, name))
        assert child.stderr.read() == b"stopped: interrupted.\n"
        assert child.wait() == 130
    assert not [*folder.iterdir()]


SLOW = """
import os, time
plain = os.unlink
def unlink(path):
    time.sleep(0.5)
    plain(path)
os.unlink = unlink
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends other signals")
def test_another_signal_does_not_stop_the_removal(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SLOW + WRITER], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == b"ready\n"
        for _ in range(3):
            child.send_signal(signal.SIGINT)
            time.sleep(0.1)
        assert child.stderr.read() == b"stopped: interrupted.\n"
        assert child.wait() == 130
    assert not [*folder.iterdir()]


def test_a_value_is_computed_once(folder: Path) -> None:
    values = iter([[1, 2], [3, 4], [5, 6]])
    assert remembered("sum", lambda: next(values)) == [1, 2]
    assert remembered("sum", lambda: next(values)) == [1, 2]
    assert remembered("other", lambda: next(values)) == [3, 4]
    path = folder / "sum.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"value": [1, 9]}))
    assert remembered("sum", lambda: next(values)) == [5, 6]
    assert remembered("sum", lambda: next(values)) == [5, 6]


def test_a_value_that_cannot_be_kept_is_computed_again(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "file"))
    values = iter([1, 2])
    assert [remembered("sum", lambda: next(values)) for _ in range(2)] == [1, 2]
