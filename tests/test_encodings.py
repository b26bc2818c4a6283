"""Texts in many scripts and encodings, from the command line."""

import json
import re
from pathlib import Path

import pytest
import yaml

from charrnn.config.encodings import known_encoding
from charrnn.system.resources import text_resources
from charrnn.training.checkpoint import load
from tests.conftest import TINY

SCRIPTS = {
    "greek": "Ἐν ἀρχῇ ἦν ὁ λόγος, καὶ ὁ λόγος ἦν πρὸς τὸν θεόν\n",
    "hindi": "क्षत्रिय स्त्री ज्ञान दुःख\n",
    "arabic": "بِسْمِ ٱللَّٰهِ ٱلرَّحْمَٰنِ\n",
    "hebrew": "בְּרֵאשִׁית בָּרָא אֱלֹהִים\n",
    "thai": "ที่นี่ ผู้ใหญ่ กำลัง\n",
    "korean": "한국어 \u1112\u1161\u11ab\n",
    "vietnamese": "Tiê\u0301ng Viê\u0323t Tiếng Việt\n",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 e\u0301\n",
    "beyond the first plane": "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐌰𐌱𐌲 𠀀𠀁\n",
}


@pytest.fixture(scope="module")
def cafe_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from charrnn.cli import main

    folder = tmp_path_factory.mktemp("cafe")
    (folder / "t.txt").write_bytes("le café est fermé\n".encode("latin-1") * 40)
    arguments = ["train", str(folder / "t.txt"), *TINY, "--encoding", "latin-1"]
    assert main.run([*arguments, "--max-steps", "8", "--out", str(folder / "run")]) == 0
    return folder / "run"


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_every_script_survives_training_and_sampling(charrnn, tmp_path, script, encoding) -> None:
    text, line = tmp_path / "t.txt", SCRIPTS[script].strip()
    text.write_bytes((SCRIPTS[script] * 30).encode(encoding))
    arguments = [*TINY, "--max-steps", 2, "--encoding", encoding, "--out", tmp_path / "run"]
    assert charrnn("train", text, *arguments).code == 0
    vocabulary = load(tmp_path / "run/checkpoints/last.safetensors").vocabulary
    assert vocabulary.characters == "".join(sorted(set(SCRIPTS[script])))
    sample = charrnn("sample", tmp_path / "run", "--prime", line, "--length", 30).out
    assert sample.startswith(line)
    assert set(sample) <= set(SCRIPTS[script])
    (tmp_path / "sample.txt").write_bytes(sample.encode(encoding))
    outcome = charrnn("eval", tmp_path / "run", tmp_path / "sample.txt", "--json")
    assert json.loads(outcome.out)["characters"] == len(sample) - 1


def test_texts_are_read_in_the_encoding_of_the_model_by_default(
    charrnn, cafe_run, tmp_path
) -> None:
    line = "le café"
    (tmp_path / "latin").write_bytes(line.encode("latin-1"))
    (tmp_path / "wide").write_bytes(line.encode("utf-16-le"))
    alike = charrnn("eval", cafe_run, tmp_path / "latin")
    assert alike.code == 0, alike.err
    assert charrnn("eval", cafe_run, "wide", "--encoding", "utf-16-le").out == alike.out
    assert charrnn("eval", cafe_run, "latin", "--encoding", "utf-8").code == 3
    for errors, code in (("strict", 3), ("replace", 3)):  # it does not know U+FFFD
        flags = ["--encoding", "utf-8", "--errors", errors]
        outcome = charrnn("eval", cafe_run, "latin", *flags)
        assert outcome.code == code
        assert ("U+FFFD)" in outcome.err) == (errors == "replace")
    prime = charrnn("sample", cafe_run, "--prime-file", "latin", "--length", 0)
    assert prime.out == line
    assert charrnn("gradcheck", cafe_run, "--text", "latin", "--fast").code == 0
    assert charrnn("gradflow", cafe_run, "--text", "latin").code == 0


def test_a_resumed_run_keeps_its_encoding(charrnn, cafe_run) -> None:
    for flags in (["--encoding", "utf-8"], ["--errors", "replace"]):
        outcome = charrnn("train", "--resume", cafe_run, *flags, "--max-steps", 12)
        assert outcome.code == 2
        assert f"{flags[0]} cannot change a run that is resumed" in outcome.err
    assert charrnn("train", "--resume", cafe_run, "--max-steps", 12).code == 0
    assert yaml.safe_load((cafe_run / "config.yaml").read_text())["data"]["encoding"] == "latin-1"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("latn-1", "latin-1"), ("UFT8", "utf8"), ("shift-jsi", "shift-jis"), ("qqqq", "utf-8")],
)
def test_an_unknown_encoding_names_the_nearest(charrnn, cafe_run, text_file, name, nearest) -> None:
    for command in (["train", text_file], ["eval", cafe_run, text_file]):
        outcome = charrnn(*command, "--encoding", name)
        assert outcome.code == 2
        assert f"--encoding {name} is not" in outcome.err
        assert nearest in outcome.err.replace(repr(name), "")


@pytest.mark.parametrize(
    "name",
    ["rot13", "base64", "hex", "zip", "bz2", "uu", "quopri", "idna", "punycode", "unicode_escape",
     "raw-unicode-escape", "undefined", "mbcs", "oem", "utf-7", "charmap", "",
     "a\0b", "é", "\ud800"],
)  # fmt: skip
def test_codecs_that_are_not_text_encodings_are_refused(name) -> None:
    with pytest.raises(ValueError, match="not a known text encoding"):
        known_encoding(name)


@pytest.mark.parametrize(
    "name", ["utf8", "UTF-16", "Latin_1", "cp1252", "koi8-r", "437", "ebcdic-cp-us"]
)
def test_spellings_of_encoding_names(name) -> None:
    assert known_encoding(name) == name


@pytest.mark.parametrize("text", ["ab", "abc", "abcd", "abcde", "abcdef"])
@pytest.mark.parametrize("flags", [[], ["--set", "data.sequences=lines"]])
def test_the_hint_for_a_tiny_text_leads_to_a_run(charrnn, tmp_path, text, flags) -> None:
    (tmp_path / "t").write_text(text)
    arguments = ["train", "t", *flags, "--max-steps", 1, "--out", "run"]
    outcome = charrnn(*arguments)
    assert outcome.code == 3
    hint = re.findall(r"--set \S+|--[a-z-]+ \d+", outcome.err.partition("hint:")[2])
    outcome = charrnn(*arguments, *" ".join(hint).split())
    assert outcome.code == 0, outcome.err


def test_bundled_texts_are_not_directories(charrnn, tmp_path) -> None:
    """A directory of that name takes precedence, as a file does."""
    name = next(iter(text_resources()))
    (tmp_path / name).mkdir()
    assert "has no files" in charrnn("train", name).err
