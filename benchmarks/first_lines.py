"""How often a sample begins with a malformed line, from the kept state and from zero.

python benchmarks/first_lines.py [STEPS]

Trains the default config on a generated chat log, in which every line is `[12:34] NAME: words`, and
on the bundled plays. Of each model it generates 200 samples from the state that the checkpoint
keeps and 200 from the zero state after a blank line, and counts the first and the later lines that
do not have the form of a line of the text.
"""

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from charrnn.commands.sample import Sampler
from charrnn.commands.train import new_run, train
from charrnn.system.resources import CORPUS_NAME, text_resources

SAMPLES = 200
NAMES = ("ODA", "BERT", "MARIT", "JON", "THE KEEPER")
WORDS = (
    "the lamp", "is", "lit", "and", "no boat", "came in", "from sea", "tonight", "I think", "we",
    "should wait", "here",
)  # fmt: skip
CHAT = re.compile(r"\[[0-2]\d:[0-5]\d\] [A-Z][A-Z ]*: [a-zI ]+\.")


def chat(lines: int) -> str:
    """A chat log, a blank line after every twelve lines."""
    random = np.random.default_rng(1)
    written = []
    for number in range(lines):
        minute = 7 * number % 1440
        words = " ".join(random.choice(WORDS, random.integers(3, 9)))
        written.append(f"[{minute // 60:02}:{minute % 60:02}] {random.choice(NAMES)}: {words}.")
        if number % 12 == 11:
            written.append("")
    return "\n".join(written) + "\n"


def known_beginnings(text: str) -> set[str]:
    """The first words of the lines of a text."""
    return {line.split(" ")[0] for line in text.splitlines() if line}


def malformed(sampler: Sampler, wrong: Callable[[str], bool]) -> list[float]:
    """The share of wrong lines: of first ones, of later ones after a blank line, and of the rest.

    The last line of a sample, which is cut off, does not count.
    """
    kinds: list[list[bool]] = [[], [], []]
    for text in sampler.samples(SAMPLES).texts:
        lines = text.lstrip("\n").split("\n")[:-1]
        for number, line in enumerate(lines):
            if line:
                kind = 0 if not number else 1 if not lines[number - 1] else 2
                kinds[kind].append(wrong(line))
    return [float(np.mean(kind)) if kind else 0.0 for kind in kinds]


def main() -> None:
    """Trains, samples and prints a table."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    plays = text_resources()[CORPUS_NAME].read_text(encoding="utf-8")
    beginnings = known_beginnings(plays)
    with tempfile.TemporaryDirectory() as folder:
        for name, text, wrong in (
            ("chat log", chat(6000), lambda line: not CHAT.fullmatch(line)),
            ("plays", plays, lambda line: line.split(" ")[0] not in beginnings),
        ):
            path, out = Path(folder, f"{name}.txt"), Path(folder, name)
            path.write_text(text, encoding="utf-8")
            flags = {"data": {"text": [str(path)]}, "training": {"max_steps": steps}}
            ended = train(new_run("default", [], flags, str(out)), [])
            for kept in (True, False):
                sampler = Sampler(str(out), length=400)
                if not kept:
                    sampler.model = sampler.model._replace(start=None)
                first, after_blank, others = malformed(sampler, wrong)
                print(
                    f"{name:9} {ended.validation_nats_per_character:.3f} nats  "
                    f"{'kept state' if kept else 'zero state':10}  malformed: "
                    f"{first:.1%} of first lines, {after_blank:.1%} of later ones after a blank "
                    f"line, {others:.1%} of the others",
                    flush=True,
                )


if __name__ == "__main__":
    main()
