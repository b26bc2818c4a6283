"""Reading in chunks: results do not depend on the cuts, and little memory is used."""

import codecs
import hashlib
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from charrnn.errors import InputError
from charrnn.text import decoding, text
from charrnn.text.binary import kind_of_binary
from charrnn.text.corpus import build_corpus
from charrnn.text.decoding import HEAD_BYTES, Decoding
from charrnn.text.lines import Lines
from charrnn.text.reading import Reading, read_text
from charrnn.text.sequences import SEQUENCES
from charrnn.text.text import Text

STRINGS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("texts") / "text.txt"


@given(STRINGS, st.integers(1, 9))
def test_a_text_is_its_string_in_any_chunks(string: str, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "CHUNK_CHARACTERS", piece)
        cut = [string[start : start + piece] for start in range(0, len(string), piece)]
        whole = Text.of_chunks(lambda: iter(cut))
        assert str(whole) == string
        assert whole.characters == "".join(sorted(set(string)))
        assert whole.counts() == [string.count(character) for character in whole.characters]
        assert whole.digest() == hashlib.sha256(string.encode()).hexdigest()
        assert whole.utf8_size() == len(string.encode())
        assert str(Text.concatenate([Text.of(part) for part in cut])) == string
        half = whole[: len(string) // 2].compact()
        assert str(half) == string[: len(string) // 2]
        assert half.characters == "".join(sorted(set(str(half))))


@pytest.mark.parametrize("other", ["abcx", "ab", "abcab", ""])
def test_chunks_that_change_between_the_passes_are_refused(other: str) -> None:
    strings = iter(["abca", other])
    with pytest.raises(ValueError, match="second time"):
        Text.of_chunks(lambda: iter([next(strings)]))


@pytest.mark.parametrize(("alphabet", "bytes_each"), [(2, 1), (256, 1), (257, 2), (70_000, 4)])
def test_ids_have_the_smallest_type(alphabet: int, bytes_each: int) -> None:
    characters = "".join(chr(0x10000 + number) for number in range(alphabet))
    corpus = build_corpus(Text.of(characters), 0.0)
    assert corpus.training.itemsize == bytes_each
    assert corpus.training.dtype.kind == "u"
    assert corpus.vocabulary.characters == characters


@given(STRINGS, st.integers(1, 7), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_a_file_is_read_the_same_in_any_chunks(file, string, piece, newline, marked) -> None:
    string = string.replace("\0", "")
    file.write_bytes((("\ufeff" if marked else "") + string.replace("\n", newline)).encode())
    assume(string and not string.startswith("\ufeff"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "CHUNK_BYTES", piece)
        read = read_text([str(file)])
        found, notes = read.text, read.notes
    assert str(found) == string
    assert len(notes) == marked + ("\r" in newline and "\n" in string)


@given(STRINGS, st.integers(1, 7))
def test_the_offset_of_an_invalid_byte_is_reported(file: Path, string: str, piece: int) -> None:
    start = string.replace("\0", "").encode()
    file.write_bytes(start + b"\xff" + start)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "CHUNK_BYTES", piece)
        with pytest.raises(InputError, match=f"byte 0xff at offset {len(start)}"):
            read_text([str(file)])


CODECS = [
    "utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-32-le", "latin-1", "cp1252",
    "koi8-r", "shift_jis", "gb18030", "euc_kr", "big5", "iso2022_jp", "hz", "cp037",
]  # fmt: skip
PIECES = st.integers(1, 7)


def read_in_pieces(file: Path, content: bytes, piece: int, *how: str) -> Reading:
    file.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "CHUNK_BYTES", piece)
        return read_text([str(file)], Decoding(*how))


@given(STRINGS, st.sampled_from(CODECS), PIECES)
def test_every_encoding_of_a_text_is_the_same_text(file, string, codec, piece) -> None:
    string = "x" + string.replace("\0", "").encode(codec, "ignore").decode(codec, "replace")
    string = string.replace("\ufeff", "").replace("\r", "")
    encoded = string.encode(codec, "ignore")
    assume(encoded.decode(codec, "replace") == string)
    assert str(read_in_pieces(file, encoded, piece, codec).text) == string


@settings(max_examples=300)
@given(st.binary(min_size=1), st.sampled_from(CODECS), PIECES)
def test_invalid_bytes_are_reported_and_replaced_as_by_python(file, content, codec, piece):
    assume(codec not in ("utf-16", "utf-32") and kind_of_binary(content) is None)
    assume(not content.startswith("\ufeff".encode(codec, "ignore") or b"-"))
    replaced = content.decode(codec, "replace").replace("\0", "\ufffd")
    reading = read_in_pieces(file, content, piece, codec, "replace", "keep")
    assert str(reading.text) == replaced
    try:
        decoded, wrong = content.decode(codec), None
    except UnicodeDecodeError as error:
        decoded, wrong = content[: error.start].decode(codec), error.start
    if "\0" not in decoded and wrong is None:
        assert str(read_in_pieces(file, content, piece, codec, "strict", "keep").text) == decoded
    else:
        with pytest.raises(InputError) as caught:
            read_in_pieces(file, content, piece, codec, "strict", "keep")
        if "\0" not in decoded and b"\0" not in content:
            assert f"byte 0x{content[wrong]:02x} at offset {wrong}." in str(caught.value)
            assert f"the first at offset {wrong}." in reading.notes[-1]


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-32-be", "latin-1", "shift_jis"])
@pytest.mark.parametrize("piece", [3, 1 << 18])
def test_the_offset_of_a_late_nul_is_reported(file, codec, piece) -> None:
    start = "ab\u00a5"[: 2 if codec == "shift_jis" else 3] * HEAD_BYTES
    with pytest.raises(InputError, match=f"NUL at byte {len(start.encode(codec))}\\."):
        read_in_pieces(file, (start + "\0" + start).encode(codec), piece, codec)


@pytest.mark.parametrize("piece", [3, 1 << 18])
def test_the_first_fault_past_the_first_chunk_is_reported(file, piece) -> None:
    for content, words in (
        (b"a" * HEAD_BYTES + b"\0a\xff", f"NUL at byte {HEAD_BYTES}"),
        (b"a" * HEAD_BYTES + b"\xffa\0", f"byte 0xff at offset {HEAD_BYTES}"),
    ):
        with pytest.raises(InputError, match=words):
            read_in_pieces(file, content, piece)
    doubled = b"\x1b(B\x1b(B" + b"a" * HEAD_BYTES  # a redundant escape sequence
    with pytest.raises(InputError, match=f"NUL at byte {HEAD_BYTES + 6}"):
        read_in_pieces(file, doubled + b"\0", piece, "iso2022_jp")


@pytest.mark.parametrize("piece", range(1, 14))
def test_an_escape_sequence_that_never_ends_is_invalid_bytes(file, piece) -> None:
    content = b"a\x1b$}\xdah(\xa5 \xb8\xa0\xe8\xbd"
    text = read_in_pieces(file, content, piece, "iso2022_jp_2", "replace").text
    assert str(text) == content.decode("iso2022_jp_2", "replace")


@given(st.text("ab\r\n", min_size=1), st.sampled_from(["utf-8", "utf-16", "cp037"]), PIECES)
def test_newlines_are_normal_and_counted_or_kept(file, string, codec, piece) -> None:
    normal, notes = read_in_pieces(file, string.encode(codec), piece, codec)
    expected = string.replace("\r\n", "\n").replace("\r", "\n")
    assert str(normal[0]) == expected
    crlf = string.count("\r\n")
    counts = f"({crlf} CR LF, {string.count(chr(13)) - crlf} CR alone)"
    assert any(counts in note for note in notes) == ("\r" in string)
    again, _ = read_in_pieces(file, str(normal[0]).encode(codec), piece, codec)
    assert str(again[0]) == expected  # idempotent
    kept = read_in_pieces(file, string.encode(codec), piece, codec, "strict", "keep")
    assert str(kept.text) == string


@pytest.mark.parametrize(
    ("codec", "content", "mark"),
    [
        ("utf-8", codecs.BOM_UTF8 + b"a", True),
        ("utf-8-sig", b"a", False),
        ("utf-16", codecs.BOM_UTF16_BE + b"\0a", True),
        ("utf-16", codecs.BOM_UTF16_LE + b"a\0", True),
        ("utf-16", b"a\0", False),
        ("utf-16-be", codecs.BOM_UTF16_BE + b"\0a", True),
        ("utf-32", codecs.BOM_UTF32_LE + b"a\0\0\0", True),
        ("gb18030", "\ufeffa".encode("gb18030"), True),
    ],
)
def test_byte_order_marks_are_dropped(file, codec, content, mark) -> None:
    documents, notes = read_in_pieces(file, content, 1, codec)
    assert [str(document) for document in documents] == ["a"]
    assert [("byte order mark was left out" in note) for note in notes] == [True] * mark


@pytest.mark.parametrize(
    ("codec", "content", "hint"),
    [
        ("utf-8", "h\u00e4".encode("utf-16"), "utf-16"),
        ("utf-8", "h\u00e4".encode("utf-32"), "utf-32"),
        ("latin-1", "h\u00e4".encode("utf-16"), "utf-16"),
        ("ascii", "\ufeffh\u00e4".encode(), "utf-8"),
        ("utf-8", b"caf\xe9", "cp1252"),
        ("shift_jis", b"\xff", "cp1252"),
    ],
)
def test_the_likely_encoding_is_suggested(file, codec, content, hint) -> None:
    with pytest.raises(InputError) as caught:
        read_in_pieces(file, content, 4, codec)
    assert f"--encoding {hint}" in caught.value.hint or hint in caught.value.hint


def test_the_byte_order_mark_of_another_encoding_is_reported(file) -> None:
    text, notes = read_in_pieces(file, "\ufeffa".encode(), 2, "latin-1")
    assert str(text[0]) == "\u00ef\u00bb\u00bfa"
    assert "byte order mark of utf-8 was read as text" in notes[0]


def test_nul_and_invalid_bytes_are_counted_separately(file) -> None:
    documents, notes = read_in_pieces(file, b"a\0b\xff\xffc\xef\xbf\xbd", 2, "utf-8", "replace")
    assert str(documents[0]) == "a\ufffdb\ufffd\ufffdc\ufffd"
    assert "2 invalid byte sequences read as U+FFFD, the first at offset 3." in notes[0]
    assert "1 NUL character read" in notes[1]


def test_an_incomplete_last_character_is_reported(file: Path) -> None:
    file.write_bytes("caf\u00e9".encode()[:-1])
    with pytest.raises(InputError, match="byte 0xc3 at offset 3"):
        read_text([str(file)])


@given(st.lists(st.text("ab \u2003\u00e9", max_size=9)), st.integers(1, 9))
def test_lines_are_gathered_whole(lines: list[str], piece: int) -> None:
    string = "\n".join([*lines, "xyz", ""])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("charrnn.text.lines.CHUNK_CHARACTERS", piece)
        gathered, training = Lines().split(Text.of(string), 0.5 if len(string) > 9 else 0.0)
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
    monkeypatch.setattr(decoding, "CHUNK_BYTES", 1 << 12)
    monkeypatch.setattr(text, "CHUNK_CHARACTERS", 1 << 12)
    monkeypatch.setattr("charrnn.text.lines.CHUNK_CHARACTERS", 1 << 12)
    kind = SEQUENCES[sequences]
    sizes, peaks = [], []
    for repeats in (1, 3):
        file.write_bytes((content * repeats + "\nand more").encode())
        tracemalloc.start()
        try:
            corpus = build_corpus(kind.join(read_text([str(file)]).documents), 0.5, kind)
            kept, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        sizes.append(file.stat().st_size)
        peaks.append(peak)
        assert kept < corpus.training.nbytes + corpus.validation.nbytes + 100_000
    more_lines = 2 * content.count("\n") if sequences == "lines" else 0
    assert peaks[1] - peaks[0] < 3 * (sizes[1] - sizes[0]) + 16 * more_lines
