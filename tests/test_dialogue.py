"""A dialogue reads as `sample` does, and undoing restores a state exactly."""

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.cli import main
from charrnn.commands.dialogue import Dialogue, DialogueSettings, Turn
from charrnn.commands.dialogue_lines import COMMANDS, DialogueLines
from charrnn.commands.sample import Sampler
from charrnn.errors import UsageError
from charrnn.model.loss import softmax
from charrnn.model.rnn import logits, states
from charrnn.report.dialogue import show_parts
from charrnn.results.dialogue import Likely, Said, Written
from charrnn.setup.loading import load_model
from charrnn.text.text import Text
from tests.conftest import TINY


@pytest.fixture(scope="module")
def model(trained):
    return load_model(str(trained))


@pytest.fixture(scope="module")
def line_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lines")
    (folder / "names.txt").write_text("Anna\nBernd\nCarla\nDora\n" * 9)
    arguments = ["train", str(folder / "names.txt"), *TINY, "--max-steps", "30"]
    settings = ["--set", "data.sequences=lines", "--out", str(folder / "run")]
    assert main.run([*arguments, *settings]) == 0
    return load_model(str(folder / "run"))


def snapshot(turn: Turn) -> tuple:
    """All of a state, bit for bit."""
    position = turn.position and (turn.position.last, turn.position.h.tobytes())
    return turn.text, turn.continuations, position


def same(one: Turn, other: Turn) -> bool:
    return snapshot(one) == snapshot(other)


def answers(lines: DialogueLines, line: str) -> list:
    return list(lines.answer(line))


def written(parts: list) -> str:
    return "".join(part.text for part in parts if isinstance(part, Written))


def said(parts: list) -> str:
    return " ".join(f"{p.message} {p.hint or ''}" for p in parts if isinstance(p, Said))


pieces = st.lists(st.text(alphabet="The lampd\n", max_size=6), max_size=6)


@given(pieces)
def test_text_read_in_pieces_is_text_read_at_once(model, parts) -> None:
    together, apart = (Dialogue(model, DialogueSettings()) for _ in range(2))
    together.read("".join(parts))
    for part in parts:
        apart.read(part)
    assert same(together.turn, apart.turn)


@given(pieces.map("".join).filter(bool))
def test_the_likely_characters_are_those_of_the_network(model, text) -> None:
    dialogue = Dialogue(model, DialogueSettings())
    dialogue.read(text)
    before = dialogue.turn
    likely = dialogue.likely(1000)
    ids = model.vocabulary.encode(Text.of(text))
    zero = np.zeros((1, model.params.state_size), model.params.dtype)
    h = states(model.params, ids[:, None], zero, model.activation)[-1]
    expected = softmax(logits(model.params, h).astype(np.float64))[0]
    ids = [model.vocabulary.characters.index(c) for c in likely.characters]
    np.testing.assert_allclose(likely.probabilities, expected[ids], rtol=1e-5)
    assert sorted(ids) == list(range(len(expected)))
    assert list(likely.probabilities) == sorted(likely.probabilities, reverse=True)
    assert dialogue.turn is before


LINES = st.sampled_from(
    ["The ", "a lamp\\n", "", "/again", "/new", "/likely 3", "/2", "/undo", "é"]
)


@given(st.lists(LINES, max_size=8), st.booleans())
def test_undo_restores_every_state_exactly(model, line_model, typed, of_lines) -> None:
    settings = DialogueSettings(length=6)
    lines = DialogueLines(Dialogue(line_model if of_lines else model, settings))
    if of_lines:
        typed = [line.replace("The ", "An").replace("a lamp\\n", "B") for line in typed]
    history = [snapshot(lines.dialogue.turn)]
    for line in typed:
        before = lines.dialogue.turn
        answers(lines, line)
        if line == "/undo":
            if len(history) > 1:
                history.pop()
            assert snapshot(lines.dialogue.turn) == history[-1]
        elif line == "/again":
            history[-1] = snapshot(lines.dialogue.turn)
        elif lines.dialogue.turn is not before:
            history.append(snapshot(lines.dialogue.turn))
    for turn in reversed(history[:-1]):
        answers(lines, "/undo")
        assert snapshot(lines.dialogue.turn) == turn
    assert "nothing to undo" in said(answers(lines, "/undo"))


@pytest.mark.parametrize("prime", ["", "The ", "The keeper\nw"])
def test_a_continuation_is_that_of_sample(model, prime) -> None:
    settings = DialogueSettings(temperature=0.8, top_k=9, min_p=0.01, length=60, seed=5, until="|")
    dialogue = Dialogue(model, settings)
    dialogue.read(prime)
    text = "".join(dialogue.write())
    options = {"temperature": 0.8, "top_k": 9, "min_p": 0.01, "length": 60, "seed": 5}
    assert (prime + text,) == Sampler(model.path, prime=prime, **options).samples(1).texts
    assert dialogue.turn.text == prime + text


def test_a_line_is_that_of_sample_and_the_next_begins_afresh(line_model) -> None:
    dialogue = Dialogue(line_model, DialogueSettings(seed=5))
    dialogue.read("An")
    text = "".join(dialogue.write())
    assert (f"An{text}",) == Sampler(line_model.path, prime="An", seed=5).samples(1).texts
    assert same(dialogue.turn, Turn(continuations=1))
    with pytest.raises(UsageError, match="ends a line"):
        dialogue.read("A\nB")


def test_a_continuation_ends_with_its_line(model) -> None:
    dialogue = Dialogue(model, DialogueSettings(length=4000))
    dialogue.read("The")
    for _ in range(5):
        text = "".join(dialogue.write())
        assert text.endswith("\n")
        assert "\n" not in text.strip("\n")
        assert text.strip()


def test_again_is_another_continuation_of_the_same_text(model) -> None:
    lines = DialogueLines(Dialogue(model, DialogueSettings(length=30)), show_line=False)
    first, *others = (written(answers(lines, line)) for line in ["The ", "/again", "/again"])
    assert len({first, *others}) == 3
    assert lines.dialogue.turn.text == "The " + others[-1]
    answers(lines, "/undo")
    assert written(answers(lines, "The ")) == first


def test_an_interrupted_continuation_stays(model) -> None:
    dialogue = Dialogue(model, DialogueSettings(length=500, until="|"))
    dialogue.read("The")
    asked = iter([False] * 7 + [True])
    assert len("".join(dialogue.write(lambda: next(asked)))) == 7
    assert len(dialogue.turn.text) == 10
    assert dialogue.undo()


def test_the_line_that_is_continued_is_shown(model) -> None:
    shown, hidden = (
        DialogueLines(Dialogue(model, DialogueSettings(length=5)), show_line=show)
        for show in (True, False)
    )
    for line in ("The lamp\\nThe", ""):
        before = hidden.dialogue.turn.text or "The"
        assert written(answers(shown, line)) == before.rpartition("\n")[2] + written(
            answers(hidden, line)
        )


def test_choosing_among_the_likeliest(model) -> None:
    lines = DialogueLines(Dialogue(model, DialogueSettings()))
    answers(lines, "The")
    before = lines.dialogue.turn.text
    assert "no characters are listed" in said(answers(lines, "/1"))
    (listed,) = answers(lines, "/likely 3")
    assert isinstance(listed, Likely)
    assert len(listed.characters) == 3
    assert "4 is not in the list. give /1 to /3" in said(answers(lines, "/4"))
    *_, again = answers(lines, "/2")
    assert lines.dialogue.turn.text == before + listed.characters[1]
    assert isinstance(again, Likely)
    answers(lines, "")
    assert "no characters are listed" in said(answers(lines, "/1"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/temperature 0.5", "temperature 0.5"),
        ("/temp", "temperature 1.0"),
        ("/temperature hot", "is not a number from 0"),
        ("/temperature nan", "is not a number from 0"),
        ("/temperature -1", "is not a number from 0"),
        ("/top-k 0", "is not a whole number from 1"),
        ("/top-k 3", "top-k 3"),
        ("/top-p 2", "is not a number from 0 to 1"),
        ("/length 1e3", "is not a whole number"),
        ("/unknown guess", "error, skip or replace"),
        ("/unknown replace", "does not know U+FFFD"),
        ("/unknown skip", "unknown skip"),
        ("/undoo", "did you mean /undo?"),
        ("/t", "/text or /temperature or /top-k or /top-p"),
        ("/again", "is no continuation"),
        ("/settings", "min-p 0.0"),
        ("/help", " ".join(f"/{name}" for name in ["likely"])),
        ("é", "nearest is 'e'; or choose `unknown=skip`"),
        ("\\q", "unknown escape"),
        ("//", "character '/'"),
        ("/0", "no characters are listed"),
    ],
)
def test_commands_answer_and_do_not_change_the_text(model, line, words) -> None:
    lines = DialogueLines(Dialogue(model, DialogueSettings()))
    assert words in said(answers(lines, line))
    assert same(lines.dialogue.turn, Turn())
    assert not lines.ended


def test_every_command_is_in_the_help_and_quit_ends(model) -> None:
    lines = DialogueLines(Dialogue(model, DialogueSettings()))
    explained = said(answers(lines, "/?"))
    assert all(f"/{name}: " in explained for name in COMMANDS)
    answers(lines, "/quit")
    assert lines.ended


def test_unknown_characters_can_be_left_out(model) -> None:
    lines = DialogueLines(Dialogue(model, DialogueSettings(unknown="skip", length=3)))
    assert "1 unknown character left out" in said(answers(lines, "Thée"))
    assert lines.dialogue.turn.text.startswith("The")


def test_settings_act_on_the_next_continuation(model) -> None:
    lines = DialogueLines(Dialogue(model, DialogueSettings(length=9)), show_line=False)
    for line in ("/length 4", "/top-k off", "/temperature 0", "/until"):
        answers(lines, line)
    greedy = written(answers(lines, "The"))
    assert len(greedy) <= 4
    assert written(answers(lines, "/again")) == greedy


def test_what_is_shown_ends_its_lines(capsys) -> None:
    show_parts([Written("The"), Written(" lamp"), Likely(("\n", "e"), (0.75, 0.25)), Written("a")])
    show_parts([Written("b\n"), Said("`unknown=skip` it.", "hint"), Written("")])
    out, err = capsys.readouterr()
    heavy, light = "█" * 22, "█" * 8
    assert out == f"The lamp\n1  \\n      75.0 %  {heavy}\n2  e       25.0 %  {light}\na\nb\n"
    assert err == "/unknown skip it. hint\n"


@pytest.mark.parametrize(
    "option",
    [["--json"], ["--novelty"], ["--novel-only"], ["--count", "2"], ["-t", "2", "-t", "1"]],
)
def test_options_that_make_no_sense_are_refused(charrnn, trained, option) -> None:
    outcome = charrnn("sample", trained, "--interactive", *option)
    assert (outcome.code, outcome.out) == (2, "")
    assert "--interactive" in outcome.err


def piped(trained: Path, text: bytes, *options: str) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "charrnn", "sample", trained, "--interactive", *options]
    return subprocess.run(command, input=text, capture_output=True, timeout=60, check=False)


def test_a_pipe_gets_the_text_only(trained, model) -> None:
    found = piped(trained, b"The \xff\nThe\n/undo\n/quit\nnot read", "-n", "20", "--prime", "The ")
    assert found.returncode == 0
    first = Dialogue(model, DialogueSettings(length=20))
    first.read("The ")
    text = "The " + "".join(first.write())
    assert found.stdout.decode().startswith(text.rstrip("\n") + "\n")
    assert b"U+FFFD" in found.stderr
    assert b"> " not in found.stdout + found.stderr
    assert piped(trained, b"").returncode == 0


class Terminal:
    """A dialogue in a pseudo-terminal."""

    def __init__(self, *arguments: object) -> None:
        command = [sys.executable, "-m", "charrnn", "sample", *map(str, arguments)]
        self._end, inside = pty.openpty()
        environment = os.environ | {"TERM": "dumb", "COLUMNS": "80"}
        self.process = subprocess.Popen(
            command, stdin=inside, stdout=inside, stderr=inside, env=environment,
            start_new_session=True,
        )  # fmt: skip
        os.close(inside)
        self.shown = ""

    def expect(self, words: str) -> None:
        """Reads until the words are shown, and forgets what is before their end."""
        until = time.monotonic() + 60
        while words not in self.shown:
            ready, _, _ = select.select([self._end], [], [], until - time.monotonic())
            assert ready, (words, self.shown)
            self.shown += os.read(self._end, 4096).decode(errors="replace")
        self.shown = self.shown.partition(words)[2]

    def signal_until(self, number: int, words: str) -> None:
        """Sends a signal until the words are shown.

        Python does not notice one that arrives just before it waits for a key.
        """
        for _ in range(30):
            self.process.send_signal(number)
            until = time.monotonic() + 2
            while (left := until - time.monotonic()) > 0:
                if select.select([self._end], [], [], left)[0]:
                    self.shown += os.read(self._end, 4096).decode(errors="replace")
                if words in self.shown:
                    self.shown = self.shown.partition(words)[2]
                    return
        raise AssertionError((words, self.shown))

    def type(self, keys: str) -> None:
        os.write(self._end, keys.encode())

    def code(self) -> int:
        """The exit code; what is still shown is read first."""
        with contextlib.suppress(OSError):  # the other end is closed
            while os.read(self._end, 4096):
                pass
        os.close(self._end)
        return self.process.wait(60)


def test_a_terminal_dialogue_is_interrupted_and_ended(trained) -> None:
    terminal = Terminal(trained, "--interactive", "-n", 10**8, "--until", "TTTTTTTT")
    terminal.expect("/help lists the")
    terminal.expect("> ")
    terminal.type("The\n")
    terminal.expect("\nThe")
    for _ in range(3):
        terminal.expect("a")  # it is writing
    terminal.process.send_signal(signal.SIGINT)
    terminal.expect("> ")
    terminal.type("not sent")
    terminal.expect("not sent")
    terminal.signal_until(signal.SIGINT, "/quit or Ctrl-D ends.")
    terminal.expect("> ")
    terminal.type("/undo\n")
    terminal.expect("the text is empty.")
    terminal.expect("> ")
    terminal.type("\x04")
    assert terminal.code() == 0


def test_a_stop_signal_ends_a_dialogue(trained) -> None:
    terminal = Terminal(trained, "--interactive")
    terminal.expect("> ")
    terminal.signal_until(signal.SIGTERM, "stopped: interrupted.")
    assert terminal.code() == 130
