"""The lines that a user types in a dialogue: text to continue, or commands."""

from collections.abc import Callable, Iterator
from itertools import chain
from math import inf

from charrnn.commands.dialogue import Dialogue
from charrnn.errors import CharrnnError, UsageError
from charrnn.results.dialogue import Likely, Part, Said, Written
from charrnn.text.escapes import unescaped
from charrnn.wording import nearest

SHOWN = 10  # likely characters that are listed
SETTINGS: dict[str, tuple[Callable[[str], object], float, float, str]] = {
    "temperature": (float, 0, 1e300, "0 is greedy, 1 samples from the model"),
    "top-k": (int, 1, 10**9, "choose from the K most likely characters; off for all"),
    "top-p": (float, 0, 1, "choose from characters with total probability P; 1 for all"),
    "min-p": (float, 0, 1, "choose from those at least P times as likely as the likeliest"),
    "length": (int, 1, 10**6, "characters of a continuation at most"),
    "seed": (int, 0, inf, "random seed"),
}
COMMANDS = {
    "likely": "list the most likely next characters, 10 or as many as you say; /3 takes the third",
    "again": "take the last continuation back and write another",
    "undo": "take the last line or choice back, with what followed",
    "new": "begin a new text",
    "text": "show the text so far",
    "settings": "show the settings; /temperature 0.8 and the like change one:",
    **{name: what for name, (*_, what) in SETTINGS.items()},
    "unknown": "error, skip or replace: what to do with characters the model does not know",
    "help": "show this",
    "quit": "end; so does Ctrl-D",
}
POLICIES = ("error", "skip", "replace")
INTRODUCTION = (
    "Type text and the model continues it; an empty line lets it go on. \\n is a newline, \\\\ a "
    "backslash, and // at the start of a line one /. Ctrl-C interrupts the model. /help lists the "
    "commands."
)


class DialogueLines:
    """Answers the lines of a user.

    Attributes:
        dialogue: The text.
        ended: Whether the user asked to end.
    """

    def __init__(self, dialogue: Dialogue, *, show_line: bool = True) -> None:
        """show_line: whether a continuation is shown after the line that it continues."""
        self.dialogue, self.ended = dialogue, False
        self._show_line = show_line
        self._listed: Likely | None = None

    def answer(self, line: str, interrupted: Callable[[], bool] = lambda: False) -> Iterator[Part]:
        """What a line of the user brings about.

        Args:
            line: The line, without its newline.
            interrupted: Whether the model is to stop writing.
        """
        listed, self._listed = self._listed, None
        try:
            if line.startswith("/") and not line.startswith("//"):
                command, _, value = line[1:].strip().partition(" ")
                yield from self._command(command.lower(), value.strip(), listed, interrupted)
            else:
                text = unescaped(line[1:] if line.startswith("//") else line, "text")
                yield from self.continued(text, interrupted)
        except CharrnnError as error:
            yield Said(str(error), error.hint)

    def continued(
        self, text: str, interrupted: Callable[[], bool] = lambda: False
    ) -> Iterator[Part]:
        """Reads a text and continues it. Raises: UsageError."""
        before = self.dialogue.turn
        yield from map(Said, self.dialogue.read(text))
        joined = self.dialogue.turn is not before
        yield from self._written(self.dialogue.write(interrupted, joined=joined))

    def _written(self, pieces: Iterator[str]) -> Iterator[Part]:
        line = self.dialogue.turn.text.rpartition("\n")[2]
        yield from map(Written, chain([line] if self._show_line else [], pieces))
        if self.dialogue.item and not self.dialogue.turn.text:
            yield Said(f"end of the {self.dialogue.item}; the next text begins another.")

    def _command(
        self, name: str, value: str, listed: Likely | None, interrupted: Callable[[], bool]
    ) -> Iterator[Part]:
        if name.isdecimal():
            yield from self._choice(int(name[:9]), listed)
            return
        name = _command_named(name)
        dialogue = self.dialogue
        if name in SETTINGS:
            yield self._set(name, value)
        elif name == "unknown":
            yield self._set_unknown(value)
        elif name == "likely":
            yield self._list(_number(int, value, name, 1, inf) if value else SHOWN)
        elif name == "again":
            pieces = dialogue.again(interrupted)
            if pieces is None:
                yield Said("the last change is no continuation.", "an empty line continues.")
            else:
                yield from self._written(pieces)
        elif name == "undo":
            yield self._ending() if dialogue.undo() else Said("there is nothing to undo.")
        elif name == "new":
            dialogue.new()
            yield Said("a new text begins.")
        elif name == "text":
            yield Written(dialogue.turn.text)
        elif name == "settings":
            yield from (self._shown(setting) for setting in (*SETTINGS, "unknown"))
        elif name == "help":
            yield from map(Said, (INTRODUCTION, *(f"/{one}: {COMMANDS[one]}" for one in COMMANDS)))
        else:
            self.ended = True

    def _ending(self) -> Part:
        """The end of the text, to see where it stands."""
        line = self.dialogue.turn.text.rstrip("\n").rpartition("\n")[2]
        return Said(f"the text ends with {line[-60:]!r}." if line else "the text is empty.")

    def _list(self, count: float) -> Likely:
        self._listed = self.dialogue.likely(int(min(count, 10**6)))
        return self._listed

    def _choice(self, number: int, listed: Likely | None) -> Iterator[Part]:
        if listed is None:
            raise UsageError("no characters are listed.", "/likely lists them.")
        if not 1 <= number <= len(listed.characters):
            self._listed = listed
            raise UsageError(
                f"{number} is not in the list.", f"give /1 to /{len(listed.characters)}."
            )
        self.dialogue.choose(listed.characters[number - 1])
        yield Written(self.dialogue.turn.text.rpartition("\n")[2])
        yield self._list(len(listed.characters))

    def _set(self, name: str, value: str) -> Part:
        kind, low, high, _ = SETTINGS[name]
        if value:
            off = name == "top-k" and value == "off"
            chosen = None if off else _number(kind, value, name, low, high)
            setattr(self.dialogue.settings, _attribute(name), chosen)
        return self._shown(name)

    def _set_unknown(self, value: str) -> Part:
        if value:
            if value not in POLICIES:
                raise UsageError(f"/unknown {value} is not known.", "error, skip or replace.")
            self.dialogue.set_unknown(value)
        return self._shown("unknown")

    def _shown(self, name: str) -> Said:
        value = getattr(self.dialogue.settings, _attribute(name))
        off = "off" if name == "top-k" else "as in training"
        return Said(f"{name} {off if value is None else value}")


def _attribute(name: str) -> str:
    return name.replace("-", "_")


def _command_named(name: str) -> str:
    """The command with this name or beginning. Raises: UsageError."""
    name = {"": "help", "?": "help", "exit": "quit"}.get(name, name)
    if name in COMMANDS:
        return name
    matching = [command for command in COMMANDS if command.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    close = nearest(name, COMMANDS)
    guess = " or ".join(f"/{one}" for one in matching) or (f"/{close}" if close else "")
    raise UsageError(
        f"there is no command /{name}.",
        f"did you mean {guess}? /help lists them." if guess else "/help lists them; // reads a /.",
    )


def _number(kind: Callable[[str], object], value: str, name: str, low: float, high: float) -> float:
    """A number of a command. Raises: UsageError."""
    form = "a whole number" if kind is int else "a number"
    bounds = f"from {low:g}" + ("" if high > 1e6 else f" to {high:,g}")
    try:
        number = kind(value)
        if isinstance(number, int | float) and low <= number <= high:
            return number
    except ValueError:
        pass
    raise UsageError(
        f"/{name} {value} is not {form} {bounds}.", f"for example /{name} {_example(name)}"
    )


def _example(name: str) -> str:
    return {"temperature": "0.8", "top-p": "0.9", "min-p": "0.1", "length": "200"}.get(name, "5")
