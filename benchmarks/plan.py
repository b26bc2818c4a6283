"""Compares what `charrnn train --max-time` chooses by itself with given configs.

Texts of several lengths are cut from a text and from Python's standard library. Each is trained on
for several budgets: with the settings that the program chooses (configs/plan.yaml), and with each
given config. The score is the held-out loss of the best checkpoint on the 100,000 characters that
follow the text, without those that the text does not have; the mean over the seeds. Runs follow one
another, since it is time that they are given: the machine should do nothing else.

    python benchmarks/plan.py shakespeare.txt --configs default deep
    python benchmarks/plan.py shakespeare.txt --configs "best/{text}-{characters}-{minutes}.yaml"
    python benchmarks/plan.py shakespeare.txt --texts python --characters 5000000 --minutes 10

In the path of a config, {text}, {characters} and {minutes} stand for those of a run, so that the
best configs of sweeps can be compared, one for each; those that do not exist are left out.
"""

import argparse
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import charrnn

LENGTHS = (20_000, 200_000, 1_000_000, 5_000_000)
MINUTES = (1.0, 3.0, 10.0)
HELD_OUT = 100_000  # characters
BUILT_IN = ("default", "deep", "relu", "tiny")
QUIET = {"evaluation.sample_length": 0, "logging.lag_profile": False}


def standard_library() -> str:
    """The ASCII characters of Python's standard library: its modules, then its packages."""
    folder = Path(sysconfig.get_path("stdlib"))
    modules, packages = sorted(folder.glob("*.py")), sorted(folder.glob("*/**/*.py"))
    installed = {"site-packages", "dist-packages"}
    files = [*modules, *(path for path in packages if not installed & {*path.parts})]
    sources = "".join(path.read_text(encoding="utf-8", errors="ignore") for path in files)
    return sources.encode("ascii", "ignore").decode()


def cut(source: str, length: int, folder: Path) -> tuple[str, str] | None:
    """The paths of a text and of what follows it; None if the source is too short."""
    text, rest = source[:length], source[length : length + HELD_OUT]
    known = {*text}
    held_out = "".join(character for character in rest if character in known)
    if len(text) < length or 10 * len(held_out) < min(length, HELD_OUT):
        return None
    paths = folder / "text.txt", folder / "held-out.txt"
    for path, content in zip(paths, (text, held_out), strict=True):
        path.write_text(content, encoding="utf-8")
    return str(paths[0]), str(paths[1])


def configs_for(patterns: list[str], **names: object) -> Iterator[str | None]:
    """None, for what is chosen, then the configs for a run."""
    yield None
    for pattern in patterns:
        path = pattern.format(**names)
        if path in BUILT_IN or Path(path).is_file():
            yield path


def described(config: dict[str, dict[str, object]]) -> str:
    """The settings that matter most, in a few words."""
    model, training, optimizer = (config[name] for name in ("model", "training", "optimizer"))
    passes = f", {training['epochs']:g} passes" if training["epochs"] else ""
    decay = f", decay {optimizer['weight_decay']:g}" if "weight_decay" in optimizer else ""
    return (
        f"{model['layers']} × {model['hidden_size']} {model['activation']}, "
        f"B {training['batch_size']}, rate {optimizer['learning_rate']:g}{decay}, "
        f"dropout {model['dropout']:g}{passes}"
    )


def score(
    config: str | None, paths: tuple[str, str], minutes: float, seeds: list[int]
) -> tuple[float, str]:
    """The mean held-out loss in nats per character, and the settings of the last seed."""
    text, held_out = paths
    losses = []
    for seed in seeds:
        run = charrnn.train(
            text,
            config,
            validation=held_out,
            max_time=60 * minutes,
            seed=seed,
            progress=False,
            settings=QUIET,
        )
        assert run.ended is not None, "interrupted"
        assert run.ended.validation_nats_per_character is not None
        losses.append(run.ended.validation_nats_per_character)
    return fmean(losses), described(run.config)


def rows(options: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """The rows of the table: a run, what it was trained with, its loss, and the difference."""
    sources = {"text": options.text.read_text(encoding="utf-8"), "python": standard_library()}
    for name in options.texts:
        for length in options.characters:
            with tempfile.TemporaryDirectory() as folder:
                paths = cut(sources[name], length, Path(folder))
                if paths is None:
                    print(f"{name} has no {length:,} characters", file=sys.stderr)
                    continue
                for minutes in options.minutes:
                    names = {"text": name, "characters": length, "minutes": f"{minutes:g}"}
                    chosen = None
                    for config in configs_for(options.configs, **names):
                        nats, settings = score(config, paths, minutes, options.seeds)
                        chosen = nats if chosen is None else chosen
                        difference = "" if config is None else f"{100 * (chosen / nats - 1):+.1f} %"
                        yield (
                            name, f"{length:,}", f"{minutes:g}", config or "chosen", settings,
                            f"{nats:.4f}", difference,
                        )  # fmt: skip


def main() -> None:
    """Prints the table, row by row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("text", type=Path, help="a text file of a megabyte or more")
    parser.add_argument("--configs", nargs="*", default=["default", "deep"])
    parser.add_argument("--texts", nargs="*", default=["text", "python"])
    parser.add_argument("--characters", nargs="*", type=int, default=LENGTHS)
    parser.add_argument("--minutes", nargs="*", type=float, default=MINUTES)
    parser.add_argument("--seeds", nargs="*", type=int, default=[1])
    head = ("text", "characters", "minutes", "config", "settings", "nats", "chosen is worse by")
    print(f"| {' | '.join(head)} |")
    print(f"|{'---|' * len(head)}")
    for row in rows(parser.parse_args()):
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
