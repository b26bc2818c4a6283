"""Texts in pieces: nothing depends on where they are cut, and little memory is taken."""

import hashlib
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.errors import InputError
from charrnn.text import reading, text
from charrnn.text.corpus import build_corpus
from charrnn.text.lines import shuffled_lines
from charrnn.text.reading import read_text
from charrnn.text.text import Text

STRINGS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("texts") / "text.txt"


@given(STRINGS, st.integers(1, 9))
def test_a_text_is_its_string_however_it_is_cut(string: str, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "PIECE", piece)
        cut = [string[start : start + piece] for start in range(0, len(string), piece)]
        whole = Text.of_pieces(lambda: iter(cut))
        assert str(whole) == string
        assert whole.characters == "".join(sorted(set(string)))
        assert whole.counts() == [string.count(character) for character in whole.characters]
        assert whole.digest() == hashlib.sha256(string.encode()).hexdigest()
        assert whole.utf8_size() == len(string.encode())
        assert str(Text.joined([Text.of(part) for part in cut])) == string
        half = whole[: len(string) // 2].compact()
        assert str(half) == string[: len(string) // 2]
        assert half.characters == "".join(sorted(set(str(half))))


@pytest.mark.parametrize("other", ["abcx", "ab", "abcab", ""])
def test_pieces_that_change_between_the_readings_are_refused(other: str) -> None:
    strings = iter(["abca", other])
    with pytest.raises(ValueError, match="second time"):
        Text.of_pieces(lambda: iter([next(strings)]))


@pytest.mark.parametrize(("alphabet", "bytes_each"), [(2, 1), (256, 1), (257, 2), (70_000, 4)])
def test_ids_have_the_smallest_type(alphabet: int, bytes_each: int) -> None:
    characters = "".join(chr(0x10000 + number) for number in range(alphabet))
    corpus = build_corpus(Text.of(characters), 0.0)
    assert corpus.training.itemsize == bytes_each
    assert corpus.training.dtype.kind == "u"
    assert corpus.vocabulary.characters == characters


@given(STRINGS, st.integers(1, 7), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_a_file_is_read_the_same_however_it_is_cut(file, string, piece, newline, marked) -> None:
    string = string.replace("\0", "")
    file.write_bytes((("\ufeff" if marked else "") + string.replace("\n", newline)).encode())
    if string.startswith("\ufeff") or not string:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "PIECE", piece)
        read = read_text([str(file)])
        found, remarks = read.text, read.remarks
    assert str(found) == string
    assert len(remarks) == marked + ("\r" in newline and "\n" in string)


@given(STRINGS, st.integers(1, 7))
def test_the_place_of_a_wrong_byte_is_told(file: Path, string: str, piece: int) -> None:
    start = string.replace("\0", "").encode()
    file.write_bytes(start + b"\xff" + start)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "PIECE", piece)
        with pytest.raises(InputError, match=f"byte 0xff at offset {len(start)}"):
            read_text([str(file)])


def test_a_character_that_the_end_cuts_is_told(file: Path) -> None:
    file.write_bytes("caf\u00e9".encode()[:-1])
    with pytest.raises(InputError, match="byte 0xc3 at offset 3"):
        read_text([str(file)])


@given(st.lists(st.text("ab \u2003\u00e9", max_size=9)), st.integers(1, 9), st.booleans())
def test_lines_are_gathered_whole(lines: list[str], piece: int, ended: bool) -> None:
    string = "\n".join([*lines, "xyz"]) + "\n" * ended
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("charrnn.text.lines.PIECE", piece)
        gathered, training = shuffled_lines(Text.of(string), 0.5 if len(string) > 9 else 0.0)
    kept = [line for line in string.split("\n") if line.strip()]
    assert sorted(str(gathered).split("\n")) == sorted(["", *kept])
    assert str(gathered[training - 1 : training]) == "\n"


@pytest.mark.parametrize(
    "content",
    [
        "plain ASCII lines\n" * 60_000,
        "windows\r\n" * 100_000,
        "中文的字" * 80_000,
        "mostly ASCII, " * 70_000 + "and one \U0001f600",
    ],
    ids=["ascii", "crlf", "chinese", "emoji"],
)
@pytest.mark.parametrize("sequences", ["stream", "lines"])
def test_memory_grows_by_less_than_three_times_the_file(file, content, sequences, monkeypatch):
    monkeypatch.setattr(reading, "PIECE", 1 << 12)
    monkeypatch.setattr(text, "PIECE", 1 << 12)
    monkeypatch.setattr("charrnn.text.lines.PIECE", 1 << 12)
    sizes, peaks = [], []
    for repeats in (1, 3):
        file.write_bytes((content * repeats + "\nand more").encode())
        tracemalloc.start()
        try:
            corpus = build_corpus(read_text([str(file)]).text, 0.5, sequences)
            kept, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        sizes.append(file.stat().st_size)
        peaks.append(peak)
        assert kept < corpus.training.nbytes + corpus.validation.nbytes + 100_000
    more_lines = 2 * content.count("\n") if sequences == "lines" else 0
    assert peaks[1] - peaks[0] < 3 * (sizes[1] - sizes[0]) + 16 * more_lines
