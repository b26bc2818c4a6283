"""Paths of texts: files, directories and pipes; what is skipped or refused."""

import io
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.errors import InputError
from charrnn.system.machine import physical_memory
from charrnn.text import sources
from charrnn.text.reading import read_text
from tests.conftest import TINY

NAMES = st.lists(
    st.sampled_from(["a", "b", "B", "c.txt", "d/a", "d/z", "d/e/f", "e/a"]), min_size=1
)


def fill(folder: Path, files: dict[str, bytes]) -> str:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return str(folder)


@given(NAMES)
def test_a_directory_means_its_files_sorted_by_path(tmp_path_factory, names) -> None:
    folder = tmp_path_factory.mktemp("folder")
    path = fill(folder, {name: name.encode() for name in names})
    reading = read_text([path])
    in_order = sorted(Path(name) for name in set(names))
    assert [str(document) for document in reading.documents] == [str(name) for name in in_order]
    assert reading.notes[0].endswith(f" {len(in_order)} file{'s' * (len(in_order) > 1)} read.")
    files = [str(folder / name) for name in in_order]
    assert str(read_text(files).text) == str(reading.text)


def test_hidden_files_links_to_folders_and_pipes_in_a_directory_are_skipped(tmp_path) -> None:
    path = fill(tmp_path / "d", {"a": b"a", ".DS_Store": b"\0", ".git/x": b"\0", "sub/b": b"b"})
    (tmp_path / "d/sub/loop").symlink_to("..")
    (tmp_path / "d/linked").symlink_to("a")
    (tmp_path / "d/broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / "d/pipe")
    assert str(read_text([path]).text) == "aab"


def test_a_directory_without_files_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="has no files"):
        read_text([fill(tmp_path, {".hidden": b"x"})])


def test_notes_on_many_files_are_combined(tmp_path) -> None:
    path = fill(tmp_path, {f"{number:03}": b"x\r\ny\r" for number in range(120)} | {"z": b""})
    remarks = read_text([path, f"{path}/000"]).notes
    told = "\n".join(remarks)
    assert len(remarks) == 3
    assert "121 files (" in told
    assert "242 line ends" in told
    assert "(121 CR LF, 121 CR alone)" in told
    assert f"{path}/z: empty, left out." in told


def test_empty_files_are_skipped_unless_all_are(tmp_path) -> None:
    fill(tmp_path, {"a": b"", "b": b"b", "c": b"\xef\xbb\xbf"})
    reading = read_text([str(tmp_path / name) for name in "abc"])
    assert [str(document) for document in reading.documents] == ["b"]
    assert "2 files" in reading.notes[0]
    with pytest.raises(InputError, match="all 2 files are empty"):
        read_text([str(tmp_path / name) for name in "ac"])


def test_a_named_pipe_is_refused_without_waiting(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="named pipe") as caught:
        read_text([str(tmp_path / "pipe")])
    assert "give - for standard input" in caught.value.hint


def test_devices_and_sockets_are_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("listening")
        for path in ("/dev/null", "/dev/zero", "listening"):
            with pytest.raises(InputError, match="is a device or a socket"):
                read_text([path])


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 300, "none"])
def test_other_paths_give_an_error(path) -> None:
    with pytest.raises(InputError):
        read_text([path])


def test_streams_are_read_up_to_a_fraction_of_memory(monkeypatch) -> None:
    assert sources.max_stream_bytes() == physical_memory() // 4
    monkeypatch.setattr(sources, "max_stream_bytes", lambda: 10)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"0123456789")))
    assert str(read_text(["-"]).text) == "0123456789"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"0123456789a")))
    with pytest.raises(InputError, match="standard input has more than 10 bytes"):
        read_text(["-"])


@pytest.mark.parametrize("text", ["<(cat {0})", "/dev/stdin < <(cat {0})", "- < {0}"])
def test_pipes_of_the_shell_work(tmp_path, text_file, text) -> None:
    base = f"{sys.executable} -m charrnn train {text.format(text_file)}"
    line = f"{base} {' '.join(TINY)} --max-steps 1 --out {tmp_path}/run"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_run_is_named_after_its_directory(charrnn, tmp_path, text_file) -> None:
    fill(tmp_path / "my.corpus", {"a": text_file.read_bytes(), "b": b""})
    outcome = charrnn("train", "my.corpus/", *TINY, "--max-steps", 1)
    assert outcome.out == "runs/my.corpus-1/checkpoints/best.safetensors\n"
    assert "2 files read" in outcome.err
