"""Texts by name: lists of them, downloads, the cache."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
import yaml

from charrnn.commands.texts import BUNDLED
from charrnn.config.layers import MAX_FILE_BYTES
from charrnn.errors import UsageError
from charrnn.setup.named_texts import is_name, known_texts, located, own_texts, saved_as
from charrnn.system import cache as cache_of_downloads
from charrnn.system import transfer
from charrnn.system.resources import config_paths, text_resources
from tests.conftest import RHYME, TINY
from tests.text_server import HALF, TEXT, TextServer, serving

SHA256 = hashlib.sha256(TEXT).hexdigest()
KNOWN = ("tinyshakespeare", "makemore-names")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes a list with these entries as the user's own."""

    def write(**entries: object) -> None:
        path = tmp_path / "own.yaml"
        path.write_text(yaml.safe_dump({k.replace("_", "-"): v for k, v in entries.items()}))
        monkeypatch.setenv("CHARRNN_TEXTS", str(path))

    return write


@pytest.fixture
def server() -> Iterator[TextServer]:
    with serving() as running:
        yield running


@pytest.fixture
def at(server: TextServer, listed) -> Callable[..., str]:
    """Lists a text that the server has at a path; returns its name."""

    def entry(path: str, host: str = "127.0.0.1", **more: object) -> str:
        listed(lamp={"url": server.url(path, host), "sha256": SHA256} | more)
        return "lamp"

    return entry


def files(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.glob("texts/*"))


# lists


def test_known_texts_are_those_whose_digests_are_certain() -> None:
    assert tuple(known_texts()) == KNOWN
    digests = [source.sha256[:8] for source in known_texts().values()]
    assert digests == ["86c4e6aa", "0a30b555"]
    for source in known_texts().values():
        assert source.url.startswith("https://raw.githubusercontent.com/karpathy/")
        assert all((source.description, source.licence, source.source))


def test_names_mean_one_thing_each() -> None:
    assert not {*known_texts(), *text_resources()} & {*config_paths()}
    assert {*text_resources()} == {*BUNDLED}


def test_texts_are_listed_without_network(charrnn, listed) -> None:
    listed(lamp={"url": "https://example.org/lamp.txt", "sha256": SHA256.upper()})
    document = json.loads(charrnn("texts", "--json").out)
    states = {text["name"]: text["state"] for text in document["texts"]}
    assert states == dict.fromkeys(BUNDLED, "bundled") | dict.fromkeys(
        (*KNOWN, "lamp"), "not downloaded"
    )
    assert [text["own"] for text in document["texts"]] == [False] * 4 + [True]
    assert document["texts"][-1]["sha256"] == SHA256
    shown = charrnn("texts").out
    assert all(name in shown for name in states)
    assert {document["cache"], document["own_list"]} <= {*shown.replace(",", " ").split()}


def test_a_text_put_there_by_hand_is_used_without_pooch(
    charrnn, cache: Path, listed, monkeypatch
) -> None:
    listed(lamp={"url": "https://example.invalid/lamp.txt", "sha256": SHA256})
    monkeypatch.setitem(sys.modules, "pooch", None)
    missing = charrnn("texts", "lamp")
    assert missing.code == 2
    assert "install it: pip install" in missing.err
    assert f"as {saved_as('lamp')}; its SHA-256 is {SHA256}" in missing.err
    saved_as("lamp").parent.mkdir(parents=True)
    saved_as("lamp").write_bytes(TEXT[1:])
    wrong = charrnn("texts", "lamp").err
    assert f"in place of the file with SHA-256 {hashlib.sha256(TEXT[1:]).hexdigest()}" in wrong
    listing = json.loads(charrnn("texts", "--json").out)["texts"]
    assert listing[-1]["state"] == "damaged"
    saved_as("lamp").write_bytes(TEXT)
    assert charrnn("texts", "lamp").out == f"{saved_as('lamp')}\n"


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"url": "ftp://a.org/x", "sha256": SHA256}, "lamp.url = 'ftp://a.org/x' should be an"),
        ({"url": "file:///etc/passwd", "sha256": SHA256}, "https:// or http://"),
        ({"url": "https:///x", "sha256": SHA256}, "https:// or http://"),
        ({"url": "https://a.org:x/y", "sha256": SHA256}, "https:// or http://"),
        ({"url": "https://me:pw@a.org/x", "sha256": SHA256}, "no user name or password"),
        ({"url": "https://a.org/x\x1b[2J", "sha256": SHA256}, "control characters"),
        ({"url": "https://a.org/x"}, "'lamp.sha256' is missing."),
        ({"url": "https://a.org/x", "sha256": "12"}, "64 hexadecimal digits"),
        ({"url": "https://a.org/x", "sha256": int("1" * 64)}, "should be a string; quote it"),
        ({"url": "https://a.org/x", "hash": SHA256}, "'lamp.hash'; did you mean sha256?"),
        ({"url": "https://a.org/x", "sha256": SHA256, "max_byte": 1}, "did you mean max_bytes?"),
        ({"url": "https://a.org/x", "sha256": SHA256, "max_bytes": 0}, "lamp.max_bytes = 0"),
        ({"url": "https://a.org/x", "sha256": SHA256, "licence": "a\nb"}, "a single line"),
        ("https://a.org/x", "should be a section with the keys url, sha256"),
    ],
)
def test_faults_of_an_entry(listed, entry: object, fault: str) -> None:
    listed(lamp=entry)
    with pytest.raises(UsageError) as error:
        own_texts()
    assert fault in str(error.value)
    assert "\x1b" not in str(error.value)


@pytest.mark.parametrize(
    "name", ["default", "names", "farrow-quay", "Tinyshakespeare", "a/b", "..", "a.txt", "-", "é"]
)
def test_names_that_mean_something_else_are_refused(listed, name: str) -> None:
    listed(**{name.replace("-", "_"): {"url": "https://a.org/x", "sha256": SHA256}})
    with pytest.raises(UsageError, match=r"already the name|should consist of"):
        own_texts()


def test_names_of_a_list_differ_in_more_than_case(listed) -> None:
    entry = {"url": "https://a.org/x", "sha256": SHA256}
    listed(lamp=entry, Lamp=dict(entry))
    with pytest.raises(UsageError, match="already the name of another text"):
        own_texts()


def test_all_faults_of_a_list_are_reported_together(charrnn, listed) -> None:
    listed(a={"url": "x", "sha256": "y"}, b=3, default={"url": "https://a.org", "sha256": SHA256})
    failed = charrnn("train", "lamp")
    assert failed.code == 2
    for fault in ("a.url", "a.sha256", "b = 3", "'default' is already"):
        assert fault in failed.err
    # what does not need the list does not read it
    assert charrnn("inspect", "place-names", *TINY).code == 0


def test_a_list_that_is_missing_or_too_large(charrnn, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "list.txt"
    monkeypatch.setenv("CHARRNN_TEXTS", str(path))
    assert "CHARRNN_TEXTS names it" in charrnn("train", "lamp").err
    path.write_text("#" * (MAX_FILE_BYTES + 1))
    assert "has more than" in charrnn("train", "lamp").err
    path.write_text("- lamp")
    failed = charrnn("train", "lamp").err
    assert "not a mapping" in failed
    assert "config" not in failed


# names


def test_misspelt_names_get_the_nearest(charrnn) -> None:
    for typed in ("tinyshakespear", "TinyShakespeare", "shakespeare.txt"):
        failed = charrnn("train", typed)
        assert (failed.code, "did you mean tinyshakespeare?" in failed.err) == (3, True)
    assert "did you mean makemore-names?" in charrnn("texts", "makemore_names").err
    assert "charrnn texts lists" in charrnn("train", "my-novel.txt").err


def test_a_file_of_the_name_takes_precedence(charrnn) -> None:
    Path("tinyshakespeare").write_text(RHYME * 12)
    assert not is_name("tinyshakespeare")
    report = json.loads(charrnn("inspect", "tinyshakespeare", *TINY, "--json").out)
    assert report["characters"] == len(RHYME * 12)


def test_names_are_known_wherever_a_text_is_given(charrnn, at) -> None:
    lamp = at("text")
    held_out = ["--validation", lamp, "--test", lamp]
    done = charrnn("train", lamp, *TINY, *held_out, "--max-steps", 4, "--out", "run", "--json")
    assert done.code == 0, done.err
    config = yaml.safe_load(Path("run/config.yaml").read_text())["data"]
    assert (config["text"], config["validation"], config["test"]) == (["lamp"],) * 3
    for command in (
        ["eval", "run", lamp],
        ["gradcheck", "run", "--text", lamp, "--fast"],
        ["gradflow", "-c", "tiny", "--text", lamp],
        ["gradflow", "run"],
        ["sample", "run", "--length", 20, "--novelty", "--text", lamp],
        ["sample", "run", "--length", 20, "--novelty"],
        ["train", "-c", "tiny", *TINY[2:], "--set", f"data.text={lamp}", "--max-steps", 1],
        ["report", "run", "--text", lamp],
    ):
        outcome = charrnn(*command)
        assert outcome.code == 0, (command, outcome.err)
    assert Path("runs/lamp-1").is_dir()


# downloads


def test_download_once(charrnn, server: TextServer, at, cache: Path) -> None:
    first = charrnn("texts", at("text"))
    assert (first.code, first.out) == (0, f"{cache / 'texts' / 'lamp.txt'}\n")
    assert saved_as("lamp").read_bytes() == TEXT
    assert first.err == (
        f"note: downloading lamp from 127.0.0.1\nnote: lamp is saved as {saved_as('lamp')}\n"
    )
    assert charrnn("texts", "lamp").err == ""
    assert server.requests == [("/text", None)]
    assert files(cache) == ["lamp.txt", "lamp.txt.lock"]
    saved_as("lamp").write_bytes(TEXT[:-1] + b"?")  # damaged
    assert charrnn("texts", "lamp").code == 0
    assert saved_as("lamp").read_bytes() == TEXT


def test_another_text_is_refused(charrnn, at, cache: Path) -> None:
    failed = charrnn("texts", at("wrong"))
    assert failed.code == 3
    found = hashlib.sha256(TEXT.replace(b"keeper", b"KEEPER")).hexdigest()
    assert f"whose SHA-256 is {found}, not {SHA256}" in failed.err
    assert "change its entry in your list" in failed.err
    assert str(saved_as("lamp")) in failed.err
    assert files(cache) == ["lamp.txt.lock"]


def test_a_download_that_was_cut_is_continued(charrnn, server, at, cache: Path) -> None:
    failed = charrnn("texts", at("cut"))
    assert failed.code == 3
    assert "the connection was cut after" in failed.err
    assert "run the command again to continue" in failed.err
    assert files(cache) == ["lamp.txt.lock", "lamp.txt.part"]
    kept = saved_as("lamp").with_name("lamp.txt.part").stat().st_size
    assert HALF - transfer.READ_BYTES < kept <= HALF
    assert charrnn("texts", "lamp").code == 0
    assert server.requests == [("/cut", None), ("/cut", f"bytes={kept}-")]
    assert saved_as("lamp").read_bytes() == TEXT
    assert files(cache) == ["lamp.txt", "lamp.txt.lock"]


def test_a_link_in_place_of_a_part_is_not_written_through(charrnn, at, tmp_path: Path) -> None:
    lamp, mine = at("text"), tmp_path / "mine.txt"
    mine.write_bytes(TEXT[:HALF])
    saved_as("lamp").parent.mkdir(parents=True)
    saved_as("lamp").with_name("lamp.txt.part").symlink_to(mine)
    assert charrnn("texts", lamp).code == 0
    assert mine.read_bytes() == TEXT[:HALF]
    assert saved_as("lamp").read_bytes() == TEXT
    assert not saved_as("lamp").is_symlink()


@pytest.mark.parametrize("path", ["without-ranges", "other-range", "text"])
@pytest.mark.parametrize("part", [TEXT[:HALF], b"?" * HALF, TEXT, TEXT + b"?", b""])
def test_whatever_part_there_is_the_text_is_right(charrnn, at, path: str, part: bytes) -> None:
    at(path)
    saved_as("lamp").parent.mkdir(parents=True)
    saved_as("lamp").with_name("lamp.txt.part").write_bytes(part)
    done = charrnn("texts", "lamp")
    assert done.code == 0, done.err
    assert saved_as("lamp").read_bytes() == TEXT


def test_redirects_are_followed_to_another_host(charrnn, server, at) -> None:
    assert charrnn("texts", at("redirect-to-localhost")).code == 0
    assert [path for path, _ in server.requests] == ["/redirect-to-localhost", "/text"]
    assert saved_as("lamp").read_bytes() == TEXT


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("redirect-to-file", "redirects to file:///etc/passwd, which is not safe"),
        ("redirect-to-itself", "redirects more than 5 times"),
        ("missing", "127.0.0.1 answers 404 Not Found"),
        ("no-address", "127.0.0.1 gives no answer that can be read"),
        ("no-http", "127.0.0.1 gives no answer that can be read"),
    ],
)
def test_servers_that_do_not_send_it(charrnn, at, cache: Path, path: str, reason: str) -> None:
    failed = charrnn("texts", at(path))
    assert (failed.code, reason in failed.err) == (3, True), failed.err
    assert files(cache) == ["lamp.txt.lock"]


def test_https_is_never_left() -> None:
    answer = SimpleNamespace(is_redirect=True, headers={"location": "http://a.org/x"})
    answer.close = lambda: None
    session = SimpleNamespace(get=lambda url, **_: answer)
    with pytest.raises(transfer.Refused, match=r"redirects to http://a\.org/x, which is not safe"):
        transfer._answer(session, "https://b.org/x", 0)


@pytest.mark.parametrize("path", ["text", "endless"])
def test_no_more_is_read_than_it_may_have(charrnn, at, cache: Path, path: str) -> None:
    failed = charrnn("texts", at(path, max_bytes=len(TEXT) - 1))
    assert failed.code == 3
    assert f"{len(TEXT) - 1:,}" in failed.err
    assert (f"it has {len(TEXT):,} bytes" in failed.err) == (path == "text")  # before it is read
    assert sum(file.stat().st_size for file in cache.glob("texts/*.txt*")) < 200


def test_a_file_that_ends_too_early_is_cut(tmp_path: Path, monkeypatch) -> None:
    """Some releases of urllib3 do not notice."""

    def get(*_: object, **__: object) -> SimpleNamespace:
        return SimpleNamespace(
            status_code=200, is_redirect=False, headers={"content-length": "9"},
            raise_for_status=lambda: None, iter_content=lambda size: [b"1234"],
        )  # fmt: skip

    monkeypatch.setattr(requests.Session, "get", get)
    with pytest.raises(transfer.Refused, match="cut") as refused:
        transfer.transfer("http://a.org/x", tmp_path / "part", 9, lambda *_: None)
    assert refused.value.cut
    assert (tmp_path / "part").read_bytes() == b"1234"


def test_quiet_says_nothing_of_a_download(charrnn, at) -> None:
    found = charrnn("texts", at("text"), "--quiet")
    assert (found.code, found.out.strip(), found.err) == (0, str(saved_as("lamp")), "")


def test_no_server(charrnn, listed) -> None:
    listed(lamp={"url": "http://127.0.0.1:9/lamp.txt", "sha256": SHA256})
    saved_as("lamp").parent.mkdir(parents=True)
    saved_as("lamp").with_name("lamp.txt.part").write_bytes(TEXT[:HALF])
    failed = charrnn("train", "lamp")
    assert failed.code == 3
    assert "there is no connection to 127.0.0.1 (is this machine offline?)" in failed.err
    assert f"as {saved_as('lamp')}; its SHA-256 is {SHA256}" in failed.err
    assert not Path("runs").exists()


def test_a_server_that_does_not_answer(charrnn, at, monkeypatch) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT", 0.05)
    failed = charrnn("texts", at("silent"))
    assert (failed.code, "127.0.0.1 has not answered for 0.05 s" in failed.err) == (3, True)
    monkeypatch.setattr(transfer, "TIMEOUT", 0.5)
    failed = charrnn("texts", at("stalls"))
    assert (failed.code, "the connection was cut after" in failed.err) == (3, True), failed.err
    monkeypatch.setattr(transfer, "TIMEOUT", 0.05)
    # how far the other one comes in that time is a matter of chance
    failed = charrnn("texts", at("slow"))
    assert failed.code == 3
    assert "was cut after" in failed.err or "has not answered" in failed.err


def test_a_cache_that_cannot_be_written(charrnn, at, cache: Path) -> None:
    cache.write_text("a file")
    failed = charrnn("texts", at("text"))
    assert (failed.code, "CHARRNN_CACHE" in failed.err) == (3, True)


def test_a_download_that_cannot_be_read(charrnn, at, monkeypatch) -> None:
    assert charrnn("texts", at("text")).code == 0
    os.utime(saved_as("lamp"), (1, 1))  # else it is known already

    def refuse(path: Path) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(cache_of_downloads, "sha256_of", refuse)
    for arguments in (["texts"], ["texts", "lamp"], ["train", "lamp"]):
        failed = charrnn(*arguments)
        assert failed.code == 3, failed.err
        assert f"{saved_as('lamp')} cannot be read: Permission denied." in failed.err
        assert "CHARRNN_CACHE" in failed.err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="of POSIX")
def test_what_is_no_file_in_its_place_is_neither_read_nor_removed(charrnn, at) -> None:
    place = saved_as(at("text"))
    place.parent.mkdir(parents=True)
    os.mkfifo(place)  # reading it would not end
    failed = charrnn("texts", "lamp")
    assert (failed.code, f"{place} is there, and is no file" in failed.err) == (3, True)
    assert place.is_fifo()


def test_ctrl_c_leaves_nothing_that_passes_for_the_text(server, at, cache: Path) -> None:
    program = start("texts", at("slow"))
    assert server.half_sent.wait(20)
    part = saved_as("lamp").with_name("lamp.txt.part")
    while not (part.exists() and part.stat().st_size):
        assert program.poll() is None
        time.sleep(0.01)
    program.send_signal(signal.SIGINT)
    code, said = end_of(program)
    assert (code, said.splitlines()[-1]) == (130, "stopped: interrupted."), said
    assert "Traceback" not in said
    assert not saved_as("lamp").exists()
    kept = part.stat().st_size
    assert part.read_bytes() == TEXT[:kept]
    server.go_on.set()
    assert end_of(start("texts", "lamp"))[0] == 0
    assert server.requests[1] == ("/slow", f"bytes={kept}-")
    assert files(cache) == ["lamp.txt", "lamp.txt.lock"]


def test_two_programs_at_once(server, at, cache: Path) -> None:
    name = at("slow")
    first = start("texts", name)
    assert server.half_sent.wait(20)
    second = start("texts", name)
    while len(server.requests) < 2:
        assert second.poll() is None
        time.sleep(0.01)
    server.go_on.set()
    assert [end_of(program)[0] for program in (first, second)] == [0, 0]
    assert server.requests == [("/slow", None)] * 2
    assert saved_as("lamp").read_bytes() == TEXT
    assert files(cache) == ["lamp.txt", "lamp.txt.lock"]


def start(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "charrnn", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=os.environ, stdout=pipe, stderr=pipe)


def end_of(program: subprocess.Popen[bytes]) -> tuple[int, str]:
    """The exit code of a program, and what it wrote to standard error."""
    with program:
        _, said = program.communicate(timeout=20)
    return program.returncode, said.decode()


# the cache and runs


def test_clear(charrnn, at, cache: Path) -> None:
    charrnn("texts", at("text"))
    (cache / "texts" / "other.txt").touch()
    assert json.loads(charrnn("texts", "--clear", "--json").out)["removed"] == ["lamp"]
    assert files(cache) == ["other.txt"]
    assert charrnn("texts", "--clear").out == "removed 0 texts, 0 kB\n"
    charrnn("texts", "lamp")
    assert charrnn("texts", "tinyshakespeare", "--clear").out.startswith("removed 0")
    assert charrnn("texts", "lamp", "--clear").out.startswith("removed 1 text, 0.1 MB")
    assert charrnn("texts", "farrow-quay", "--clear").code == 2
    assert text_resources()["farrow-quay"].exists()


def test_resume_on_another_machine(charrnn, at, listed, tmp_path: Path, monkeypatch) -> None:
    lamp = at("text")
    charrnn("train", lamp, *TINY, "--max-steps", 4, "--out", "run")
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "other"))
    again = charrnn("train", "--resume", "run", "--max-steps", 6)
    assert again.code == 0, again.err
    assert "downloading lamp" in again.err
    listed()
    unknown = charrnn("train", "--resume", "run", "--max-steps", 8)
    assert (unknown.code, "the text 'lamp', a name that is not known" in unknown.err) == (3, True)
    listed(lamp={"url": "http://127.0.0.1:9/x", "sha256": hashlib.sha256(b"x" * 999).hexdigest()})
    saved_as("lamp").write_bytes(b"x" * 999)
    changed = charrnn("train", "--resume", "run", "--max-steps", 8)
    assert (changed.code, "is not the text" in changed.err) == (3, True)


def test_located_keeps_paths() -> None:
    Path("a.txt").write_text("a")
    given = ["a.txt", "-", ".", "/nowhere/tinyshakespeare", "tinyshakespeare.txt", ""]
    assert located(given) == given
