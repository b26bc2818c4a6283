"""Random combinations of all settings on small and degenerate texts; every command on each."""

from pathlib import Path
from random import Random
from typing import Any

import yaml

from tests.campaign.in_process import call, inside
from tests.campaign.schema import random_config
from tests.campaign.texts import ENCODINGS, TEXTS, some_text
from tests.campaign.trial import Trial

TOPICS = (
    "forward", "softmax", "output", "backward", "terms", "forward-mode", "update", "vanishing",
    "truncation", "slips",
)  # fmt: skip
EXTREMES = ("0", "5e-324", "1e-300", "1e-12", "0.1", "0.9999999999999999", "1", "3", "1e300")


def try_settings(trial: Trial) -> None:
    """Trains with random settings, then runs every command on the result or on its config."""
    random = trial.random
    with inside(trial.folder):
        _write_config(random)
        trained = call(["train", "-c", "drawn.yaml", "--out", "run", *_sometimes(random, "--json")])
        has_run = any(Path("run/checkpoints").glob("*.safetensors"))
        trial.counts["runs of random settings" if has_run else "settings refused"] += 1
        commands = _on_a_model(random, "run") if has_run else []
        commands += _on_a_config(random)
        if trained.code == 0:
            commands += _training_again(random)
        for command in commands:
            call(command)
        trial.counts["commands on such runs"] += len(commands)


def _write_config(random: Random) -> None:
    """Writes the texts and a config that trains on them."""
    encoding = random.choice(ENCODINGS)
    names = []
    for number in range(random.choice([1, 1, 1, 2, 3])):
        name = f"text-{number}.txt"
        Path(name).write_bytes(some_text(random).encode(encoding, "replace"))
        names.append(name)
    Path("rhyme.txt").write_text(TEXTS["rhyme"], "utf-8")
    other = random.choice(["rhyme.txt", names[0]])
    config = random_config(
        random,
        {
            "data.text": names if random.random() < 0.9 else [".", "text-0.txt"],
            "data.encoding": encoding if random.random() < 0.9 else random.choice(ENCODINGS),
            "data.include": random.choice([[], [], [], ["text-*"], ["*.txt", "x"]]),
            "data.exclude": random.choice([[], [], [], ["rhyme*"], ["*.yaml"]]),
            "data.validation": [other] if random.random() < 0.1 else [],
            "data.test": [other] if random.random() < 0.2 else [],
            "data.min_count": random.choice([1, 1, 1, 2, 5, 1000]),
            "model.init_from": None,
            "model.vocabulary": None,
            "logging.sinks": random.choice([[], ["tensorboard"]]),
            "model.extend_vocabulary": False,
            "checkpoints.every": random.choice([1e-9, 1e-3, 60.0, 1e300]),
        },
    )
    Path("drawn.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")


def _sometimes(random: Random, *words: Any, share: float = 0.3) -> list[str]:
    return [str(word) for word in words] if random.random() < share else []


def _on_a_model(random: Random, run: str) -> list[list[str]]:
    """Each command on a run, with random options."""
    maybe, pick = random.random, random.choice
    prompt = TEXTS[pick(sorted(TEXTS))][: pick([0, 1, 2, 20])].replace("\0", "")
    text = pick(["rhyme.txt", "text-0.txt"])
    unknown = pick([[], [], ["--unknown", "skip"], ["--unknown", "replace"], ["--unknown=error"]])
    sampling = [
        *_sometimes(random, f"--prime={prompt}"),
        *_sometimes(random, "--temperature", pick(EXTREMES)),
        *_sometimes(random, "--top-k", pick([1, 2, 10**9])),
        *_sometimes(random, "--top-p", pick(EXTREMES[:7])),
        *_sometimes(random, "--count", pick([1, 2, 7])),
        *_sometimes(random, "--until", pick(["a", r"\n", "\\x03", "ab", "\\"])),
        *unknown,
        *_sometimes(random, "--json"),
    ]
    draw = [*_sometimes(random, "--plot", pick(["a.png", "a.svg"]), share=0.15)]
    flow = [*_sometimes(random, "--truncation"), *_sometimes(random, "--tolerance", pick(EXTREMES))]
    return [
        ["sample", run, "--length", str(pick([0, 1, 30])), *sampling],
        ["eval", run, text, *unknown, *_sometimes(random, "--json")],
        ["inspect", run, *_sometimes(random, "--json")],
        ["explain", pick(TOPICS), run, *_explaining(random, prompt)],
        ["gradcheck", run, "--entries", "5", *_checking(random)],
        ["gradflow", run, "--lags", str(pick([1, 2, 9, 128])), *flow, *draw]
        + _sometimes(random, "--text", text)
        + (["--json"] if maybe() < 0.2 else []),
    ]


def _on_a_config(random: Random) -> list[list[str]]:
    """Each command that takes a config, on the drawn one."""
    config = ["-c", "drawn.yaml"] if random.random() < 0.5 else ["drawn.yaml"]
    draw = _sometimes(random, "--plot", random.choice(["b.png", "b.svg"]), share=0.1)
    compare = _sometimes(random, "--compare")
    topic = [random.choice(TOPICS)] if config[0] == "-c" or random.random() < 0.9 else []
    return [
        ["inspect", "-c", "drawn.yaml"],
        ["explain", *topic, *(config if topic else []), *_explaining(random, "hello")],
        ["gradcheck", *config, "--fast", "--entries", "5", *_sometimes(random, "--json")],
        ["gradflow", *config, "--lags", str(random.choice([1, 5, 40])), *compare, *draw],
    ]


def _explaining(random: Random, text: str) -> list[str]:
    pick = random.choice
    return [
        *_sometimes(random, f"--text={text}", share=0.6),
        *_sometimes(random, "--step", pick([1, 2, 5, 1, 2, 10**20, 0])),
        *_sometimes(random, "--layer", pick([1, 2, 99])),
        *_sometimes(random, "--window", pick([1, 2, 8, 10**9]), "--stride", pick([1, 2])),
        *_sometimes(random, "--plot", pick(["c.png", "c.svg"]), share=0.1),
        *_sometimes(random, "--json"),
    ]


def _checking(random: Random) -> list[str]:
    oracles = ["central-difference", "complex-step", "double-sum", "rtrl"]
    return [
        *_sometimes(random, "--fast", share=0.7),
        *_sometimes(random, "--oracle", random.choice(oracles), share=0.5),
        *_sometimes(random, "--tolerance", random.choice([*EXTREMES, "nan", "inf", "-1"])),
        *_sometimes(random, "--text", "rhyme.txt"),
        *_sometimes(random, "--json"),
    ]


def _training_again(random: Random) -> list[list[str]]:
    """The run continued, a second run that starts from its weights, and samples of both."""
    more = random.choice([["--max-steps", "23"], ["--max-steps", "5"], ["--max-time", "1e-3"]])
    text = random.choice(["rhyme.txt", "text-0.txt"])
    extend = _sometimes(random, "--extend-vocabulary", share=0.6)
    sets = ["--set", "training.batch_size=2", "--set", "training.window=4", "--set"]
    sets += [f"optimizer.learning_rate={random.choice([1e-300, 0.1, 1e30])!r}"]
    return [
        ["train", "--resume", "run", *more],
        ["train", text, "--init-from", "run", *extend, "--max-steps", "3", "--out", "child", *sets],
        ["inspect", "run"],
        ["sample", "run", "--length", "9"],
    ]
