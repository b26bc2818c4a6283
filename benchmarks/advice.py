"""Whether the command that `train` advises at its end lowers the held-out loss.

python benchmarks/advice.py TEXT FOLDER [CASE ...]

Trains deliberately different runs on the bundled corpus and on the first characters of TEXT (Tiny
Shakespeare), follows the first command that each advises, and prints a table. Runs are kept in
FOLDER, where a second call finds them. Lengths are in steps, so that the load of the machine does
not matter.
"""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

CONSTANT = "--set schedule.name=constant"
COMMON = ["--seed", "2", "--set", "training.workers=1", "--set", "evaluation.sample_length=0"]
HELD_OUT = 70_000  # characters at the end of TEXT, of the runs on its first characters
CASES = {
    # name: characters of TEXT, or 0 for the text of the config; the options
    "tiny": (0, "-c tiny"),
    "tiny, 6,000 steps": (0, "-c tiny --max-steps 6000"),
    "default": (0, ""),
    "ReLU, 1,500 steps": (0, "-c relu --hidden-size 128 --max-steps 1500"),
    "classic": (0, "-c classic --max-steps 6000"),
    "names": (0, "-c names"),
    "32 units, 1,500 steps": (1_000_000, "--hidden-size 32 --max-steps 1500 --lr 1e-2"),
    "32 units, 6,000 steps": (1_000_000, "--hidden-size 32 --max-steps 6000 --lr 1e-2"),
    "16 units, dropout": (200_000, "--hidden-size 16 --max-steps 4000 --lr 1e-2 --dropout 0.3"),
    "two epochs": (200_000, "--hidden-size 96 --layers 2 --epochs 2"),
    "two layers": (200_000, "--hidden-size 96 --layers 2 --max-steps 1500 --lr 4.5e-3"),
    "300 steps": (1_000_000, "--hidden-size 128 --max-steps 300"),
    "small text, 400 steps": (50_000, "--hidden-size 128 --max-steps 400"),
    "small text, 2,000 steps": (50_000, "--hidden-size 192 --max-steps 2000"),
    "smaller text, 1,500 steps": (10_000, "--hidden-size 192 --max-steps 1500"),
    "smaller text, 500 steps": (10_000, "--hidden-size 192 --max-steps 500"),
    "smaller text, 150 steps": (10_000, "--hidden-size 64 --max-steps 150"),
    "tiny text": (5_000, "--hidden-size 192 --max-steps 300"),
    "100 KB, 2,000 steps": (100_000, "--hidden-size 192 --max-steps 2000"),
    "200 KB, 5,000 steps": (200_000, "--hidden-size 128 --max-steps 5000"),
    "rate 0.06": (1_000_000, "--hidden-size 128 --max-steps 1000 --lr 0.06"),
    "rate 0.5": (200_000, "--hidden-size 64 --max-steps 300 --lr 0.5"),
    "rate 0.0002": (1_000_000, "--hidden-size 128 --max-steps 1000 --lr 0.0002"),
    "rate 0.001": (1_000_000, "--hidden-size 128 --max-steps 1000 --lr 0.001"),
    "SGD, rate 0.01": (200_000, "--hidden-size 64 --max-steps 1000 --optimizer sgd --lr 0.01"),
    "SGD, rate 100": (200_000, "--hidden-size 64 --max-steps 300 --optimizer sgd --lr 100"),
    "constant rate": (200_000, f"--hidden-size 128 --max-steps 1500 --lr 5e-3 {CONSTANT}"),
    "constant high rate": (1_000_000, f"--hidden-size 64 --max-steps 2000 --lr 0.02 {CONSTANT}"),
    "rate in steps": (1_000_000, "--hidden-size 64 --max-steps 3000 --set schedule.name=step"),
}  # fmt: skip


def prepare(text: str, folder: Path) -> None:
    """Writes the first characters of the text, and held-out text of characters that all have."""
    sizes = {size for size, _ in CASES.values() if size}
    for size in sizes | {2 * size for size in sizes}:
        (folder / f"{size}.txt").write_text(text[:size], encoding="utf-8")
    known = set(text[: min(sizes)])
    lines = text[-HELD_OUT:].splitlines(keepends=True)
    held_out = "".join(line for line in lines if set(line) <= known)
    (folder / "held-out.txt").write_text(held_out, encoding="utf-8")


def train(folder: Path, name: str, arguments: list[str]) -> dict[str, Any]:
    """The JSON of a run, which is trained unless it was before."""
    kept = folder / f"{name}.json"
    if not kept.exists():
        command = [sys.executable, "-m", "charrnn", *arguments, "--json", "--quiet"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{shlex.join(command)}: {done.stderr}")
        kept.write_text(done.stdout)
    return json.loads(kept.read_text())


def row(folder: Path, case: str) -> str:
    """A line of the table: the run, the verdict, what was tried, and what it gained."""
    size, options = CASES[case]
    text = [f"{size}.txt", "--validation", "held-out.txt"] if size else []
    given = [*shlex.split(options), *COMMON]
    run = train(folder, case, ["train", *text, *given, "--out", case])
    before, advice = run["validation_nats_per_character"], run["advice"]
    tried = []
    for number, way in enumerate(advice["ways"][:2]):
        if way["command"]:
            arguments = shlex.split(way["command"])[1:]
            after = train(folder, f"{case}, way {number}", arguments)
        elif size:
            text[0] = f"{2 * size}.txt"
            after = train(folder, f"{case}, more text", ["train", *text, *given])
        else:
            continue
        gain = before - after["validation_nats_per_character"]
        what = "twice the text"
        if command := way["command"]:
            resumed = "resumed, " if "--resume" in command else ""
            what = f"{resumed}`--{command.rpartition(' --')[2]}`"
        tried.append(f"{what} **{gain:+.3f}**")
    return f"| {case} | {advice['standing']} | {before:.3f} | {'; '.join(tried)} |"


def main() -> None:
    """Prints a line for each case."""
    path, folder, *cases = sys.argv[1:]
    Path(folder).mkdir(exist_ok=True)
    prepare(Path(path).read_text(encoding="utf-8"), Path(folder))
    for case in cases or CASES:
        print(row(Path(folder), case), flush=True)


if __name__ == "__main__":
    main()
