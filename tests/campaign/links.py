"""Links among the files of a run, and files of the user's in its directory."""

import os
import shutil
from pathlib import Path
from random import Random

from tests.campaign.process import Finished, run
from tests.campaign.small_run import SMALL, diverging_run, small_run
from tests.campaign.trial import Trial

NAMES = (
    ".lock", "metrics.jsonl", "config.yaml", "checkpoints", "checkpoints/last.safetensors",
    "checkpoints/best.safetensors", "checkpoints/step-6.safetensors", ".config.yaml.1.tmp",
    "checkpoints/.last.safetensors.1.tmp", "plot.svg",
)  # fmt: skip
OWN = {  # what the user may keep in the directory of a run
    ".novel.txt.tmp": "Chapter one.\n",
    "thesis.txt": "It is well known that\n",
    "notes/today.txt": "Buy milk.\n",
    "checkpoints/.novel.txt.tmp": "Chapter two.\n",
    "checkpoints/readme.txt": "Mine.\n",
    ".lock": "Do not enter; signed, the owner.\n",
    "..tmp": "dots",
    ".backup.safetensors.tmp": "my backup",
}
State = dict[str, bytes]


def try_links(trial: Trial) -> None:
    """Trains in a directory with links to files elsewhere, which keep their content."""
    random, folder = trial.random, trial.folder
    how = random.choice(["new", "resume", "resume", "diverging"])
    make = {"new": small_run, "resume": small_run, "diverging": diverging_run}[how]
    shutil.copytree(
        trial.shared.made(make.__name__.replace("_", "-"), make), folder, dirs_exist_ok=True
    )
    if how == "new":
        shutil.rmtree(folder / "run")
        (folder / "run").mkdir()
    own = [] if random.random() < 0.3 else random.sample(sorted(OWN), random.choice([1, 2, 4]))
    if how == "new":  # a new run refuses a directory with files that are not its own
        own = [name for name in own if name.endswith(".tmp") or random.random() < 0.1]
    for name in own:
        _write(folder / "run" / name, OWN[name])
    link = _link(folder, random, how) if not own or random.random() < 0.7 else "no link"
    before = _state(folder, own)
    found = _train(folder, how, random)
    for _ in range(2):
        after = _state(folder, own)
        lost = sorted(
            name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
        )
        assert not lost, f"changed or made for the user, {lost[0]}: {lost}, {link}, {found}"
        if found.code == 0:
            break
        found = run(["train", "--resume", "run", "--max-steps", "12"], folder)
    trial.counts["links and files of the user's left alone"] += 1


def _train(folder: Path, how: str, random: Random) -> Finished:
    """Trains in the directory, in one of several ways that write."""
    if how == "new":
        start = ["train", "text.txt", *SMALL, "--max-steps", "4", "--set", "checkpoints.every=1e-6"]
        return run([*start, "--out", "run"], folder)
    if how == "resume" and random.random() < 0.1:
        drawing = ["gradflow", "run", "--lags", "2", "--plot", "run/plot.svg"]
        return run(drawing, folder)
    return run(["train", "--resume", "run", "--max-steps", "9"], folder)


def _link(folder: Path, random: Random, how: str) -> str:
    """Replaces a file or folder of the run with a link to one elsewhere; says what it did."""
    name = random.choice(NAMES)
    if how == "diverging" and random.random() < 0.7:
        divergence = next(path for path in (folder / "run").iterdir() if "divergence" in path.name)
        name = random.choice([divergence.name, f"{divergence.name}/report.json"])
    place, victim = folder / "run" / name, folder / "elsewhere" / "victim"
    victim.parent.mkdir()
    kind = random.choice(["of my words", "of a copy", "of a folder", "to nothing", "to itself"])
    if kind == "of a copy" and place.is_dir():
        shutil.copytree(place, victim)
    elif kind == "of a copy" and place.is_file():
        shutil.copyfile(place, victim)
    elif kind == "of a folder":
        _write(victim / "a.txt", "mine\n")
        _write(victim / ".a.txt.tmp", "mine too\n")
    elif kind != "to nothing":
        _write(victim, "my words\n")
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind == "to itself":
        place.symlink_to(place.name)
    elif victim.is_file() and random.random() < 0.4:
        os.link(victim, place)
        kind = "(hard) " + kind
    else:
        place.symlink_to(random.choice([victim, os.path.relpath(victim, place.parent)]))
    return f"{name} is a link {kind}"


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")


def _state(folder: Path, own: list[str]) -> State:
    """What is elsewhere, and the user's own files in the run."""
    paths = [path for path in (folder / "elsewhere").rglob("*") if path.is_file()]
    paths += [folder / "run" / name for name in own]
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"(missing)"
        for path in paths
    }
