"""Files, folders and titles with hostile names; every command on them."""

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.campaign.in_process import call, inside
from tests.campaign.process import Finished, run
from tests.campaign.small_run import SMALL, small_run
from tests.campaign.texts import TEXTS
from tests.campaign.trial import Trial

PARTS = (
    b" ", b"'", b'"', b"\n", b"\x1b[31m", b"\x1b]0;owned\x07", "\u202e".encode(), "\u2066".encode(),
    "文字".encode(), "😀".encode(), "e\u0301".encode(), b"\xff\xfe", b"\xc3", b"`touch pwned`",
    b"$HOME", b"$(touch pwned)", b"-x", b"--out", b";", b"&", b"|", b"*", b"?", b"[", b"[bold]",
    b"[/]", b"\\", b"\\n", b"~", b"#", b"!", b"%s", b"{x}", b"=", b":", b",", b")", b"(", b"\r",
    b"\t", b"\x7f", "\x9b31m".encode(), b"\x9b31m", "\u2028".encode(), "\x85".encode(), b".", b"-",
    b"a", b"runs", b"$x^2$", b"$\\frac$", b"_", b"null", b"1e3", b"`out`", b"\nerror: x",
    b"\n       x", b"\nhint:  rm", b"\\u001b", b"'\\''", b"`train(\"a\")`",
)  # fmt: skip
# what no message may contain: control characters, and those that reorder what is shown
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
HINT = re.compile(r"^hint: .*(?:\n {7}.*)*", re.MULTILINE)  # with its continuation lines
PLAIN = re.compile(r"[A-Za-z0-9_./=,:;()+-]*")
PRINTS_A_PATH = {"train"}  # as data, for other programs


def try_names(trial: Trial) -> None:
    """Names everything badly, and runs commands that read, write, or complain."""
    random = trial.random
    name = os.fsdecode(_name(random))
    with inside(trial.folder):
        try:
            names = _populate(trial, name, random)
        except OSError:  # too long, or not allowed by the file system
            names = dict.fromkeys(("text", "run", "config", "folder", "other", "damaged"), name)
        commands = _commands(names, name, random)
        for command in random.sample(commands, 9):
            _check(call(command), names)
        _check(run(random.choice(commands), Path.cwd()), names)
        _draw(random, name)
        assert not list(trial.folder.rglob("pwned")), "a name was executed"
    trial.counts["commands on bad names"] += 10


def _name(random: Random) -> bytes:
    """A name of one or several bad parts, at times as long as allowed or longer."""
    name = b"".join(random.choice(PARTS) for _ in range(random.choice([1, 1, 2, 3, 5])))
    kind = random.random()
    if kind < 0.05:
        name = (name * 300)[:255]
    elif kind < 0.1:
        name = (name * 6000)[: random.choice([256, 5000])]
    return name if name not in (b".", b"..") else name + b"x"


def _populate(trial: Trial, name: str, random: Random) -> dict[str, str]:
    """A folder of that name with a text, runs and a config of that name."""
    source = trial.shared.made("small-run", small_run) / "run"
    up = random.choice(["", "", f"{name}/"])
    os.makedirs(f"{up or './'}{name}.folder")
    names = {
        "text": f"{up}{name}",
        "run": f"{up}{name}.run",
        "config": f"{up}{name}.yaml",
        "folder": f"{up}{name}.folder",
        "other": f"{up}{name}.folder/{name}",
        "damaged": f"{up}{name}.damaged",
    }
    Path(names["text"]).write_text(TEXTS["rhyme"], "utf-8")
    Path(names["config"]).write_text("model: {hidden_size: 5}\n", "utf-8")
    shutil.copytree(source, names["run"])
    shutil.copytree(source, names["other"])
    shutil.copytree(source, names["damaged"])
    with open(f"{names['damaged']}/checkpoints/best.safetensors", "r+b") as file:
        file.truncate(900)
    return names


def _commands(names: dict[str, str], name: str, random: Random) -> list[list[str]]:
    """Commands on these names: sound ones, and ones that lead to an error with a hint."""
    text, trained, config = names["text"], names["run"], names["config"]
    folder, damaged = names["folder"], names["damaged"]
    new = f"{name}.new{random.randrange(10**6)}"
    small = [*SMALL, "--max-steps", "2"]
    flow, length = ["--lags", "2"], ["--length", "3"]
    return [
        ["train", *small, f"--out={new}", "--", text],
        ["train", *small, f"--config={config}", f"--out={new}1", "--", text],
        ["train", *small, f"--out={new}2", "--json", "--", text],
        ["train", *small, f"--init-from={trained}", f"--out={new}3", "--", text],
        ["train", *small, f"--out={trained}", "--", text],
        ["train", *small, f"--out={new}4", "--", trained],
        ["train", *small, f"--out={new}5", "--", f"{trained}/checkpoints/last.safetensors"],
        ["train", *small, f"--out={text}/x", "--", text],
        ["train", f"--resume={trained}"],
        ["train", f"--resume={trained}", "--max-steps", "9"],
        ["train", f"--resume={trained}", "--", text],
        ["train", f"--resume={damaged}", "--max-steps", "9"],
        ["train", f"--resume={name}.none"],
        ["train", f"--config={name}"],
        ["train", f"--config={folder}"],
        ["train", *small, f"--validation={text}", f"--test={text}", f"--out={new}6", "--", text],
        ["train", *small, f"--include={name}*", f"--out={new}7", "--", folder],
        ["train", f"--encoding={name}", "--", text],
        ["train", "--set", f"data.text={name}", *small, f"--out={new}8"],
        ["train", "--set", f"model.{name}=1", "--", text],
        ["train", f"--{name}"],
        ["train", "--set", f"{name}"],
        ["sample", *length, "--", trained],
        ["sample", *length, "--", damaged],
        ["sample", *length, "--", config],
        ["sample", *length, "--", folder],
        ["sample", *length, "--", f"{trained}/checkpoints"],
        ["sample", *length, "--", f"{name}.none"],
        ["sample", *length, f"--prime-file={text}", "--", trained],
        ["sample", *length, f"--prime={name}", "--", trained],
        ["sample", *length, f"--until={name}", "--", trained],
        ["eval", "--", trained, text],
        ["eval", "--", damaged, text],
        ["eval", "--", trained, config],
        ["eval", "--", trained, trained],
        ["eval", "--json", "--", trained, text],
        ["eval", "--", trained, f"{name}.none"],
        ["inspect", "--", trained],
        ["inspect", "--", text],
        ["inspect", f"--config={config}", "--", text],
        ["inspect", "--", config],
        ["inspect", "--", folder],
        ["inspect", "--json", "--", trained],
        ["inspect", "--", damaged, trained],
        ["explain", "forward", trained, "--text", "the"] if trained[0] != "-" else ["explain"],
        ["explain", "terms", f"--text={name}"],
        ["explain", "--", name],
        ["gradcheck", "--fast", "--entries", "2", "--", trained],
        ["gradcheck", "--fast", "--entries", "2", f"--config={config}", f"--text={text}"],
        ["gradcheck", "--fast", "--", f"{name}.none"],
        ["gradcheck", f"--oracle={name}"],
        ["gradflow", *flow, "--", trained],
        ["gradflow", *flow, "--", damaged],
        ["gradflow", *flow, f"--text={text}", "--", trained],
        ["gradflow", *flow, f"--plot={name}", "--", trained],
        ["gradflow", *flow, f"--plot={name}.svg", f"--title={name}", "--", trained],
        [name],
    ]


def _draw(random: Random, name: str) -> None:
    """Draws a picture with this title."""
    ending = random.choice(["png", "svg", "pdf"])
    command = ["gradflow", "--lags", "2", "-c", "tiny", f"--plot=drawn.{ending}", f"--title={name}"]
    explaining = ["explain", "terms", f"--plot=drawn.{ending}", f"--title={name}"]
    found = call(random.choice([command, explaining]))
    if found.code:
        assert not Path(f"drawn.{ending}").exists(), f"a picture despite the failure: {found}"
        return
    drawn = Path(f"drawn.{ending}").read_bytes()
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    assert drawn.startswith(starts[ending]), found
    if ending == "svg":
        try:
            ElementTree.fromstring(drawn)
        except ElementTree.ParseError as error:
            raise AssertionError(f"the SVG is invalid: {error}, {found}") from None


def _check(found: Finished, names: dict[str, str]) -> None:
    """Messages are harmless, and commands in them are those of a shell."""
    said = found.err.decode(errors="surrogateescape")
    harm = HARMFUL.search(said)
    assert not harm, f"control character on standard error: {harm and harm[0]!r}, {found}"
    if not PRINTS_A_PATH & set(found.command) and "--json" not in found.command:
        shown = found.out.decode(errors="surrogateescape")
        harm = HARMFUL.search(shown)
        sampled = "sample" in found.command
        control = f"{harm and harm[0]!r}, {shown}\n{found}"
        assert sampled or not harm, f"control character on standard output: {control}"
    for hint in HINT.findall(said):
        if (start := hint.find("charrnn ")) >= 0:
            _check_hint(hint[start:], names, found)


def _check_hint(hint: str, names: dict[str, str], found: Finished) -> None:
    """The words of a suggested command are plain, or exactly one of the names."""
    words = words_of(hint)
    assert words is not None, f"a hint is no command of a shell: {hint!r}\n{found}"
    known = set(names.values()) | {os.path.realpath(name) for name in names.values()}
    known |= {str(Path(name)) for name in known} | set(_positional(found.command))
    seen_end = False
    for before, word in zip(["", *words], words, strict=False):
        seen_end = seen_end or word == "--"
        path = word.partition("=")[2] if word.startswith("--") and word not in known else word
        path = path[2:] if path.startswith("./-") else path  # so that it is no option
        right = path in known or any(_within(path, name) for name in known)
        assert PLAIN.fullmatch(path) or right, (
            f"a word of a hint is no given path: {word!r}, {found}"
        )
        option = before.startswith("-")
        if path == word and word in known and word[:1] == "-" and word not in ("-", "--"):
            assert option or seen_end, f"a path in a hint would be an option: {word!r}, {found}"


def _within(path: str, name: str) -> bool:
    """Whether a path is in a folder of this name, as a run or a checkpoint is."""
    return path.startswith(f"{name.rstrip('/')}/") and bool(PLAIN.fullmatch(path[len(name) :]))


def _positional(command: Sequence[str]) -> list[str]:
    """The values in a command line."""
    return [word.partition("=")[2] if word.startswith("--") else word for word in command]


def words_of(hint: str) -> list[str] | None:
    """The words of the commands `charrnn …` in a hint as bash reads them; None if it cannot."""
    script = "charrnn() { printf '%s\\0' \"$@\"; }\n" + hint
    shell = shutil.which("bash")
    if shell is None:
        return []
    asked = subprocess.run(
        [shell, "-c", os.fsencode(script)],
        env={"PATH": "/nonexistent"},
        capture_output=True,
        timeout=20,
    )
    wrong = b"syntax error" in asked.stderr or b"unexpected EOF" in asked.stderr
    if wrong or not asked.stdout:
        return None
    return [os.fsdecode(word) for word in asked.stdout.split(b"\0")[:-1]]


if sys.platform == "darwin":  # its file system allows only valid UTF-8
    PARTS = tuple(part for part in PARTS if part.decode(errors="ignore").encode() == part)
