"""What a page says in words and numbers: the result, the settings, the runs compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, isfinite
from pathlib import PurePath
from typing import Any

from charrnn.events import Sampled
from charrnn.report.event_lines import duration, figure, in_epochs
from charrnn.report.flags import marked_pieces
from charrnn.results import MeasuredModel, ReportedRun, RunLog
from charrnn.system.escaping import drawable, shortened
from charrnn.units import BITS_PER_NAT
from charrnn.wording import activation_name, layer_sizes, pluralize, rough_duration

HEADLINES = {
    "diverged": "Diverged",
    "useless": "No better than guessing",
    "overfitting": "Overfitting",
    "low_rate": "Learning rate too low",
    "high_rate": "Learning rate too high",
    "learning": "Still learning",
    "underfitting": "Underfitting",
    "settled": "About right",
    "short": "Too early to tell",
}
LARGEST_NATS = 700.0  # whose exponential is finite
MAX_SAMPLES, MAX_SAMPLE_LENGTH = 6, 1200
FILE_SETTINGS = ("data.text", "data.validation", "data.test", "model.init_from", "model.vocabulary")


@dataclass(frozen=True)
class Bar:
    """A loss as a bar: its label, look, width in percent, and values in words."""

    label: str
    look: str
    width: float
    loss: str
    perplexity: str


def headline(run: ReportedRun) -> str:
    """The verdict on a run in a few words; without held-out text none says that all is right."""
    found, standing = best_loss(run.log), run.assessment.standing
    return (
        "Levelled off" if standing == "settled" and found and not found[1] else HEADLINES[standing]
    )


def name_of_run(run: ReportedRun) -> str:
    """The name of a run, which tells it apart from the others on the page."""
    return shown(run.label)


def shown(text: str) -> str:
    """A name or a value as the page shows it: harmless, and not too long."""
    return drawable(shortened(text)).replace("\n", "\u240a")


def best_loss(log: RunLog) -> tuple[float, bool] | None:
    """The least held-out loss, or training loss where nothing is held out, and which it is."""
    held_out = [
        found.validation_nats_per_character
        for found in log.evaluations
        if found.validation_nats_per_character is not None
        and isfinite(found.validation_nats_per_character)
    ]
    if held_out:
        return min(held_out), True
    trained = [found.train_nats_per_character for found in log.evaluations]
    finite = [loss for loss in trained if isfinite(loss)]
    return (min(finite), False) if finite else None


def bars(log: RunLog) -> list[Bar]:
    """The loss of the network and of the baselines, the largest first."""
    losses = []
    if log.baselines:
        counts = f"counts of {log.baselines.context + 1} characters in a row"
        losses += [
            ("guessing, all equally likely", "b", log.baselines.uniform_nats_per_character),
            (counts, "b", log.baselines.ngram_nats_per_character),
        ]
    if found := best_loss(log):
        label = "this network" if found[1] else "this network, on its training text"
        losses.append((label, "a", found[0]))
    if log.test:
        losses.append(("this network, on the test text", "a", log.test.test_nats_per_character))
    losses = [(label, look, nats) for label, look, nats in losses if isfinite(nats) and nats >= 0]
    most = max((nats for _, _, nats in losses), default=0.0) or 1.0
    return [
        Bar(label, look, round(100 * nats / most, 2), figure(nats), perplexity(nats))
        for label, look, nats in losses
    ]


def perplexity(nats: float) -> str:
    """The number of equally likely characters that would surprise as much."""
    return f"{exp(nats):.3g}" if nats < LARGEST_NATS else "∞"


def key_figures(run: ReportedRun, model: MeasuredModel | None) -> list[tuple[str, str]]:
    """The numbers that sum up a run, each with what it is."""
    figures = []
    if found := best_loss(run.log):
        text = "held-out text" if found[1] else "training text"
        figures.append((f"{found[0] * BITS_PER_NAT:.3g}", f"bits per character, {text}"))
        figures.append((perplexity(found[0]), "perplexity"))
    if run.log.steps:
        last = run.log.steps[-1]
        steps = "step" if last.step == 1 else "steps"
        figures.append((f"{last.step:,}", f"{steps}, {in_epochs(last.epoch)}"))
        spent = rough_duration(min(last.seconds, 1e9))
        figures.append((spent.replace("minutes", "min").replace("hours", "h"), "of training"))
    if model:
        figures.append((f"{model.weights:,}", "weights"))
    return figures


def facts(run: ReportedRun, model: MeasuredModel | None) -> list[tuple[str, str]]:
    """The network, the text and the training in a few words each."""
    config = run.config
    network, training, data = config["model"], config["training"], config["data"]
    sizes = layer_sizes(network["layers"], network["hidden_size"])
    rows = [("network", f"{activation_name(network['activation'])}, {sizes}")]
    if model:
        alphabet = pluralize(len(model.alphabet), "character")
        rows[0] = ("network", f"{rows[0][1]}, {alphabet}, {model.weights:,} weights")
    names = ", ".join(map(_file_name, data["text"])) or "the bundled corpus"
    rows.append(("text", f"{shown(names)}, read as {data['sequences']}"))
    optimizer = config["optimizer"]
    rows.append(
        (
            "training",
            f"{optimizer['name']}, learning rate {optimizer['learning_rate']:g}, "
            f"{config['schedule']['name']} schedule, {pluralize(training['batch_size'], 'lane')} "
            f"of {training['window']} characters, seed {training['seed']}",
        )
    )
    if run.log.steps:
        rate = run.log.steps[-1].characters_per_second
        rows.append(("speed", f"{min(rate, 1e15):,.0f} characters/s"))
    if model:
        rows.append(("model here", f"after {pluralize(model.step, 'step')}"))
    return rows


def settings(config: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """All settings by section; of files only the names, not where they are."""
    return [
        (section, [(shown(key), shown(value)) for key, value in _flattened(values, section)])
        for section, values in config.items()
    ]


def _flattened(values: dict[str, Any], section: str) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        path = f"{section}.{key}"
        if isinstance(value, dict):
            for inner, written in _flattened(value, path):
                yield f"{key}.{inner}", written
        elif value is None:
            yield key, "–"
        elif isinstance(value, list):
            names = map(_file_name, value) if path in FILE_SETTINGS else map(str, value)
            yield key, ", ".join(names) or "–"
        elif path in FILE_SETTINGS:
            yield key, _file_name(value)
        else:
            yield key, str(value).lower() if isinstance(value, bool) else _number(value)


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _file_name(path: str) -> str:
    return "standard input" if path == "-" else PurePath(path).name or path


def samples(log: RunLog) -> list[tuple[str, str]]:
    """Samples of the run, evenly chosen, each with its step."""
    found = sorted(log.samples, key=lambda sample: sample.step)
    if len(found) > MAX_SAMPLES:
        last = len(found) - 1
        found = [found[round(n * last / (MAX_SAMPLES - 1))] for n in range(MAX_SAMPLES)]
    return [(f"{sample.step:,}", _cut(sample)) for sample in found]


def _cut(sample: Sampled) -> str:
    text = drawable(sample.text[:MAX_SAMPLE_LENGTH])
    left = len(sample.text) - MAX_SAMPLE_LENGTH
    return text + (f" … and {pluralize(left, 'character')} more" if left > 0 else "")


def sentence_pieces(message: str) -> list[tuple[str, bool]]:
    """A message in pieces, each with whether it is an option or a command to type."""
    return [(shown(piece), typed) for piece, typed in marked_pieces(message)]


def comparison_rows(runs: Sequence[ReportedRun], best: ReportedRun) -> list[dict[str, Any]]:
    """The runs as rows of a table, and where their settings differ."""
    varied = _differences([run.config for run in runs])
    rows = []
    for run in runs:
        found = best_loss(run.log)
        last = run.log.steps[-1] if run.log.steps else None
        flat = dict(_every_setting(run.config))
        rows.append(
            {
                "name": name_of_run(run),
                "standing": headline(run),
                "loss": figure(found[0]) if found else "–",
                "bits": f"{found[0] * BITS_PER_NAT:.3f}" if found else "–",
                "steps": f"{last.step:,}" if last else "–",
                "time": duration(min(last.seconds, 1e9)) if last else "–",
                "differs": [(key, shown(flat.get(key, "–"))) for key in varied],
                "best": run is best,
            }
        )
    return rows


def _differences(configs: Sequence[dict[str, Any]]) -> list[str]:
    flat = [dict(_every_setting(config)) for config in configs]
    keys = dict.fromkeys(key for one in flat for key in one)
    return [key for key in keys if len({one.get(key) for one in flat}) > 1]


def _every_setting(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for section, values in config.items():
        for key, value in _flattened(values, section):
            yield f"{section}.{key}", value
