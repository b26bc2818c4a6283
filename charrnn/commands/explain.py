"""Explains the gradient of a small or a trained network on a string, in real numbers."""

from typing import NamedTuple

import numpy as np

from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.commands.arguments import check_arguments, require_between
from charrnn.commands.flow_plan import THIN
from charrnn.commands.speed import NOTED_SECONDS, seconds_per_multiplication
from charrnn.config.dotted import Layer
from charrnn.config.layers import changes, load_config
from charrnn.config.settings import Config
from charrnn.errors import CharrnnError, UsageError
from charrnn.explanation.example import Example
from charrnn.explanation.topics import TOPICS, Topic
from charrnn.explanation.tour import tour
from charrnn.model.params import Params
from charrnn.results import ExplainedNetwork, Explanation
from charrnn.setup.loading import Model, load_model
from charrnn.setup.own_text import Announce
from charrnn.setup.paths import Kind, is_model, kind_of
from charrnn.setup.subject import name_of, require_one_model
from charrnn.setup.wiring import activation_of, first_params, sequences_of
from charrnn.system.blas import single_threaded_blas
from charrnn.text.text import Text
from charrnn.text.vocabulary import Vocabulary
from charrnn.window import Window, signed
from charrnn.wording import layer_sizes, nearest, pluralize, rough_duration

TEXT = "hello world"
HIDDEN_SIZE = 3  # of the network that is explained by default
MAX_STEPS = 120
MAX_REACH = 1000
MAX_LOSS = 1e15  # beyond it the loss of a step and its derivatives are not resolved
# times H³ multiplications: norms of the Jacobians of each step, and of a few others
DECOMPOSITIONS = {"vanishing": 8, "slips": 16}
PLANTED = 12  # slips, each of which takes T² products with A columns
NETWORKS = (Kind.RUN, Kind.CHECKPOINT, Kind.CONFIG)  # given without a topic: for a tour


@single_threaded_blas()
@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # seen in the numbers
def explain(
    topic: str | None = None,
    model: str | Model | None = None,
    config_path: str | Layer | None = None,
    assignments: tuple[str, ...] | list[str] = (),
    text: str = TEXT,
    step: int | None = None,
    layer: int | None = None,
    reach: int = 4,
    stride: int = 2,
    seed: int | None = None,
    announce: Announce = lambda note: None,
    flags: Layer | None = None,
) -> tuple[Explanation, tuple[str, ...]]:
    """Computes what a topic shows.

    Args:
        topic: One of TOPICS; None for a tour of all.
        model: A checkpoint, run directory or loaded model; or a config, for its network before
            training. By default a network of three units.
        config_path: A config or its values, if `model` is not given.
        assignments: Changes of the config, as `key.path=value`.
        text: The string that the network reads, in the alphabet of a trained model.
        step: The step to show in detail, from 1; None for the last.
        layer: The layer to show, from 1; None for the top one.
        reach: k2 of truncated BPTT.
        stride: k1 of truncated BPTT.
        seed: Random seed of the weights of an untrained network; None for the config's.
        announce: Called with a note before a topic that takes more than a few seconds.
        flags: Changes of the config, as a layer.

    Returns:
        The numbers, with words to show them; and notes on the model.

    Raises:
        UsageError: A topic, option or text is invalid.
        InputError: The checkpoint is unusable.
        CharrnnError: The network overflows.
    """
    if topic not in (None, *TOPICS) and model is None and kind_of(str(topic)) in NETWORKS:
        topic, model = None, topic
    if topic is not None and topic not in TOPICS:
        guess = nearest(topic, TOPICS)
        raise UsageError(
            f"there is no topic {topic!r}.",
            f"did you mean {guess}?" if guess else f"topics: {', '.join(TOPICS)}.",
        )
    check_arguments(config_path, list(assignments), [])
    subject = _subject(model, config_path, list(assignments), flags, text, seed)
    params, ids, characters = subject.params, subject.ids, subject.text
    T = len(ids) - 1
    if not 1 <= T <= MAX_STEPS:
        raise UsageError(
            f"`text` has {pluralize(len(characters), 'character')}"
            + (", with its delimiters." if characters != text else "."),
            f"give 2 to {MAX_STEPS + 1}.",
        )
    window = Window(signed(ids[:-1, None]), signed(ids[1:, None]), np.ones(1, dtype=bool))
    problem = Problem(params.astype(np.float64), window, np.zeros((1, params.state_size)))
    require_between(1, MAX_REACH, window=reach)
    _require_stride(reach, stride)
    example = Example(
        problem=problem,
        activation=activation_of(subject.config),
        text=characters,
        alphabet=subject.alphabet,
        layer=_within("layer", layer, params.depth),
        step=_within("step", step, T),
        reach=reach,
        stride=stride,
        seed=subject.config.training.seed,
    )
    _require_finite(example)
    network = ExplainedNetwork(
        subject.name,
        subject.trained,
        characters,
        example.activation.name,
        params.hidden_size,
        params.depth,
        len(subject.alphabet),
        example.layer,
        example.step,
    )
    chosen = TOPICS[topic] if topic else Topic("The gradient of a network, in numbers", "", tour)
    seconds = _seconds(topic, params, T)
    if seconds > NOTED_SECONDS:
        size = layer_sizes(params.depth, params.hidden_size)
        announce(f"{topic} for {size} over {T} characters: about {rough_duration(seconds)}")
    parts = chosen.explain(example)
    return Explanation(topic or "tour", chosen.title, network, parts), subject.notes


class _Subject(NamedTuple):
    """A network with its name, and a text as ids (T + 1,) in its alphabet."""

    name: str
    trained: bool
    config: Config
    params: Params
    alphabet: str
    ids: Array
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return "".join(self.alphabet[id] for id in self.ids.tolist())


def _subject(
    model: str | Model | None,
    config_path: str | Layer | None,
    assignments: list[str],
    flags: Layer | None,
    text: str,
    seed: int | None,
) -> _Subject:
    require_one_model(model, config_path)
    flags = (flags or {}) | ({} if seed is None else {"training": {"seed": seed}})
    if model is not None and is_model(model):
        if changed := changes(assignments, flags):
            raise UsageError(
                f"{name_of(model)} is a checkpoint, which has its own config and weights: "
                f"{changed[0]} cannot change them.",
                "give a config instead, or leave the change out.",
            )
        trained = load_model(model)
        sequence = _sequence(trained.config, text)
        try:
            ids = trained.vocabulary.encode(sequence, "`text`")
        except UsageError as error:
            raise UsageError(str(error), "give text in the model's alphabet.") from None
        alphabet = trained.vocabulary.characters
        return _Subject(
            trained.path,
            trained.steps > 0,
            trained.config,
            trained.params,
            alphabet,
            ids,
            trained.notes,
        )
    path = model if isinstance(model, str) else config_path
    small = ("", {} if path else {"model": {"hidden_size": HIDDEN_SIZE}})
    config = load_config(path, assignments, flags, small)
    sequence = _sequence(config, text)
    alphabet = "".join(sorted(sequence.characters))
    if len(alphabet) < 2:
        raise UsageError(f"`text` is {text!r}.", "give at least two different characters.")
    params = first_params(config, len(alphabet))
    name = "a small random network"
    if path:
        name = f"{path if isinstance(path, str) else 'the config'} before training"
    return _Subject(name, False, config, params, alphabet, Vocabulary(alphabet).encode(sequence))


def _sequence(config: Config, text: str) -> Text:
    """The string as the config reads a text: one sequence, between its delimiters."""
    sequences = sequences_of(config)
    end = sequences.delimiter or ""
    if end and end in text:
        raise UsageError(
            f"`text` has more than one {sequences.name}, and the network reads each by itself.",
            f"give a single {sequences.name}.",
        )
    return Text.of(end + text + end)


def _seconds(topic: str | None, params: Params, steps: int) -> float:
    """About how long a topic takes; only two take more than a moment."""
    if topic not in DECOMPOSITIONS:
        return 0.0
    H, A = params.hidden_size, params.alphabet_size
    products = DECOMPOSITIONS[topic] * H**3 * (steps + 20)
    if topic == "slips":
        products += THIN * PLANTED * steps**2 * H * A
    return products * seconds_per_multiplication()


def _within(option: str, wanted: int | None, last: int) -> int:
    if wanted is None:
        return last
    if not 1 <= wanted <= last:
        raise UsageError(
            f"`{option}={wanted}` does not exist.",
            f"choose 1 to {last}." if last > 1 else f"there is only {option} 1.",
        )
    return wanted


def _require_stride(reach: int, stride: int) -> None:
    if not 1 <= stride <= reach:
        raise UsageError(
            f"`stride={stride}` is not between 1 and `window={reach}`.",
            "for example `window=4` and `stride=2`.",
        )


def _require_finite(example: Example) -> None:
    loss, _ = example.bptt
    if not (loss < MAX_LOSS and np.isfinite(example.squared_norm)):
        raise CharrnnError(
            f"the network overflows on this text: its loss is {loss:.1e}.",
            "lower model.initialization.recurrent_gain.",
        )
