"""Checkpoints, forged with a matching digest, whose configs name hostile texts."""

import json
import os
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.campaign.process import begin, end, sane
from tests.campaign.small_run import small_run
from tests.campaign.trial import Trial
from tests.hostile import opened, sealed

MEMORY = 2 << 30  # bytes of address space
SECONDS = 60.0
Config = dict[str, Any]


def _texts(*paths: str) -> Callable[[Path, Config], None]:
    def change(folder: Path, config: Config) -> None:
        config["data"]["text"] = list(paths)

    return change


def _fifo(folder: Path, config: Config) -> None:
    os.mkfifo(folder / "fifo")
    config["data"]["text"] = [str(folder / "fifo")]


def _loop(folder: Path, config: Config) -> None:
    (folder / "loop").symlink_to("loop")
    config["data"]["text"] = [str(folder / "loop")]


def _folder_loop(folder: Path, config: Config) -> None:
    (folder / "around").mkdir()
    for number in range(3):
        (folder / "around" / f"again-{number}").symlink_to("..")
        (folder / "around" / f"self-{number}").symlink_to(".")
    config["data"]["text"] = [str(folder / "around")]


def _sparse(folder: Path, config: Config) -> None:
    (folder / "sparse").touch()
    os.truncate(folder / "sparse", 1 << 40)
    config["data"]["text"] = [str(folder / "sparse")]


def _sparse_words(folder: Path, config: Config) -> None:
    (folder / "sparse").write_text("words\n" * 2000, "utf-8")
    os.truncate(folder / "sparse", 1 << 40)
    config["data"]["text"] = [str(folder / "sparse")]


def _deep(folder: Path, config: Config) -> None:
    path = folder
    for _ in range(60):
        path = path / ("d" * 50)
    path.mkdir(parents=True)
    config["data"]["text"] = [str(folder)]


def _nested(folder: Path, config: Config) -> None:
    value: Any = []
    for _ in range(500):
        value = [value]
    config["data"]["text"] = value


def _set(section: str, key: str, value: Any) -> Callable[[Path, Config], None]:
    def change(folder: Path, config: Config) -> None:
        config[section][key] = value

    return change


FORGERIES: dict[str, Callable[[Path, Config], None]] = {
    "/proc/self/pagemap": _texts("/proc/self/pagemap"),
    "/dev/zero": _texts("/dev/zero"),
    "/dev/random": _texts("/dev/random"),
    "/dev/tty": _texts("/dev/tty"),
    "/dev/stdin": _texts("/dev/stdin"),
    "stdin": _texts("-"),
    "/proc/kmsg": _texts("/proc/kmsg"),
    "/proc": _texts("/proc/self"),
    "a fifo": _fifo,
    "/usr/lib": _texts("/usr/lib"),
    "/etc/passwd": _texts("/etc/passwd"),
    "a loop": _loop,
    "a folder in itself": _folder_loop,
    "a sparse file": _sparse,
    "a sparse file with words": _sparse_words,
    "a deep folder": _deep,
    "20,000 names": _texts(*(f"name-{number}" for number in range(20_000))),
    "20,000 times a text": _texts(*["/etc/passwd"] * 20_000),
    "a long name": _texts("x" * 10_000_000),
    "a name of long parts": _texts("x/" * 2000),
    "nested texts": _nested,
    "a config of 6 MB": _set("data", "include", ["x" * 60] * 100_000),
    "unknown keys": _set("data", "x" * 6_000_000, 1),
    "a slow pattern": _set("data", "include", ["*a" * 40 + "b"]),
    "a hostile validation": _set("data", "validation", ["/dev/zero"]),
    "a hostile test": _set("data", "test", ["/proc/self/pagemap"]),
    "a hostile parent": _set("model", "init_from", "/dev/zero"),
    "a window of 1e18": _set("training", "window", 10**18),
    "lanes of 1e18": _set("training", "batch_size", 10**18),
    "documents": _set("data", "sequences", "documents"),
}


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def try_forgery(trial: Trial) -> None:
    """Runs a command on a forged checkpoint, with little memory and time."""
    random, folder = trial.random, trial.folder
    shutil.copytree(trial.shared.made("small-run", small_run), folder, dirs_exist_ok=True)
    name = random.choice(list(FORGERIES))
    tensors, metadata = opened(folder / "run/checkpoints/last.safetensors")
    config = json.loads(metadata["config"])
    (folder / "named").mkdir()
    FORGERIES[name](folder / "named", config)
    content = sealed(tensors, metadata | {"config": json.dumps(config)})
    for path in (folder / "run/checkpoints").iterdir():
        path.write_bytes(content)
    command = random.choice(
        [
            ["gradcheck", "run", "--fast", "--entries", "2"],
            ["gradcheck", "run", "--entries", "2"],
            ["gradflow", "run", "--lags", "4"],
            ["explain", "terms", "run"],
            ["inspect", "run"],
            ["sample", "run", "--length", "9"],
            ["eval", "run", "text.txt"],
            ["train", "--resume", "run", "--max-steps", "9"],
            ["train", "text.txt", "--init-from", "run", "--max-steps", "1", "--out", "new"],
        ]
    )
    try:
        found = end(begin(command, folder, prepare=_limit), SECONDS)
        answers = {"gradcheck", "inspect"} & set(command)
        sane(found, 0, 2, 3, *([1] if answers else []))
    except AssertionError as failure:
        why, _, rest = str(failure).partition(": ")
        raise AssertionError(f"{why}, {name}: {rest}") from None
    trial.counts["forged texts refused or fine"] += 1
