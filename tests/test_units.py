"""What units follow: planted units are found, and the sums are those of NumPy's own functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.analysis.unit_states import ReadText, predictions, states_in_order
from charrnn.analysis.units import SHIFTS, Correlator
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.initialization import initial_params
from charrnn.model.params import Params
from charrnn.model.rnn import states
from charrnn.text.features import features_of
from charrnn.text.text import Text
from tests.conftest import RHYME

TANH = ACTIVATIONS["tanh"]


def network(
    hidden_size: int, alphabet_size: int, gain: float = 1.0, layers: int = 1, seed: int = 0
) -> Params:
    random = np.random.default_rng(seed)
    return initial_params(random, hidden_size, alphabet_size, layers=layers, recurrent_gain=gain)


def prose(length: int, seed: int = 0) -> str:
    """Random words, some in parentheses, in lines."""
    random = np.random.default_rng(seed)
    words = []
    while sum(map(len, words)) < length:
        word = "".join(random.choice([*"aeinorst"], random.integers(1, 8)))
        words.append(
            random.choice([word + " ", f"({word} {word}) ", word + "\n"], p=[0.7, 0.2, 0.1])
        )
    return "".join(words)[:length]


def correlations(text: ReadText, features: np.ndarray, **options: int):
    correlator = Correlator(features, text.params.state_size)
    for block in states_in_order(text, **options):
        correlator.add(block)
    return correlator.result()


def test_planted_units_are_found() -> None:
    """One unit follows a letter, one its opposite, one remembers a bracket; one is constant."""
    text = Text.of(prose(6000))
    of = text.characters.index
    U, W, b = np.zeros((4, len(text.characters))), np.zeros((4, 4)), np.zeros(4)
    U[0, of("e")], b[0] = 12, -6
    U[1, of("t")], b[1] = -12, 6
    U[2, of("(")], U[2, of(")")], W[2, 2], b[3] = 9, -9, 3, 20
    params = Params.of(U=U, W=W, V=np.zeros((len(text.characters), 4)), b=b)
    features = features_of(text)
    found = correlations(ReadText(params, TANH, text.ids), features.values)
    for unit, name, expected in ((0, "'e'", 1), (1, "'t'", -1), (2, "inside ()", 1)):
        closest = np.abs(found.values[unit]).argmax()
        assert features.names[closest].endswith(name)
        assert found.values[unit, closest] == pytest.approx(expected, abs=0.01)
        assert abs(found.values[unit, closest]) > found.chance[closest]
    assert not found.values[3].any()


def test_a_random_feature_is_within_chance() -> None:
    text = Text.of(prose(3000))
    random = np.random.default_rng(0)
    quick, slow = random.standard_normal((2, 3000))
    features = np.stack([quick, slow.cumsum()], axis=1)
    read = ReadText(network(32, len(text.characters)), TANH, text.ids)
    found = correlations(read, features)
    assert (np.abs(found.values).max(axis=0) <= found.chance).all()
    assert (found.chance < 0.3).all()
    assert found.chance[1] > found.chance[0]  # what changes slowly correlates more by chance


def test_chance_is_the_largest_correlation_with_a_shifted_feature() -> None:
    random = np.random.default_rng(1)
    states, features = random.standard_normal((400, 5)), random.standard_normal((400, 3))
    correlator = Correlator(features, 5)
    correlator.add(states)
    shifted = [np.roll(features, -shift, axis=0) for shift in correlator.shifts]
    assert len({*correlator.shifts}) > SHIFTS / 2
    by_shift = [np.abs(np.corrcoef(states.T, part.T)[:5, 5:]).max(axis=0) for part in shifted]
    np.testing.assert_allclose(correlator.result().chance, np.max(by_shift, axis=0), rtol=1e-10)


@given(st.lists(st.integers(1, 200), max_size=6), st.floats(-10, 10), st.floats(0.1, 100))
def test_the_sums_are_numpys_correlation(cuts: list[int], offset: float, scale: float) -> None:
    """However the text is cut, and whatever the scale of a feature."""
    random = np.random.default_rng(len(cuts))
    features = random.standard_normal((200, 3))
    states = np.tanh(features @ random.standard_normal((3, 4)) + random.standard_normal((200, 4)))
    correlator = Correlator(scale * features + offset, 4)
    for block in np.split(states, sorted({cut for cut in cuts if cut < 200})):
        correlator.add(block)
    found = correlator.result()
    expected = np.corrcoef(states.T, features.T)[:4, 4:]
    np.testing.assert_allclose(found.values, expected, rtol=1e-6, atol=1e-6)


def test_permuted_units_have_permuted_correlations() -> None:
    text, order = Text.of(prose(1500)), np.random.default_rng(3).permutation(16)
    params = network(16, len(text.characters))
    permuted = Params.of(
        U=params.U[order], W=params.W[np.ix_(order, order)], V=params.V[:, order], b=params.b[order]
    )
    values = features_of(text).values
    first, second = (correlations(ReadText(p, TANH, text.ids), values) for p in (params, permuted))
    np.testing.assert_allclose(second.values, first.values[order], atol=1e-9)
    np.testing.assert_allclose(second.chance, first.chance, atol=1e-6)


def test_saturated_and_constant_units_follow_nothing() -> None:
    features = np.random.default_rng(0).standard_normal((1000, 2)).astype(np.float32)
    flicker = 1 - np.finfo(np.float32).eps * (features[:, :1] > 0)
    units = np.concatenate([np.full((1000, 1), 0.3), flicker, features[:, :1] > 0], axis=1)
    correlator = Correlator(features, 3)
    correlator.add(units.astype(np.float32))
    found = correlator.result()
    assert not found.values[:2].any()
    assert found.values[2, 0] > 0.7


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("gain", [0.9, 4.0])  # forgetful, and chaotic: lanes are run again
@pytest.mark.parametrize(
    "options", [{}, {"steps": 50, "context": 50}, {"steps": 64, "max_lanes": 3}]
)
def test_states_in_lanes_are_those_of_one_pass(layers: int, gain: float, options: dict) -> None:
    text = Text.of(prose(700))
    params = network(8, len(text.characters), gain, layers)
    zero = np.zeros((1, params.state_size))
    options = {"context": 32, **options}
    found = [*states_in_order(ReadText(params, TANH, text.ids), **options)]
    expected = states(params, text.ids[:, None], zero, TANH)[1:, 0]
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-3 if gain > 1 else 1e-10)


def test_each_sequence_starts_from_the_zero_state() -> None:
    lines = ["ab", "", "bba", "a"]
    text = Text.of("".join(line + "\n" for line in lines))
    params, newline = network(6, 3, gain=1.5), text.characters.index("\n")
    read = ReadText(params, TANH, text.ids, newline)
    found = np.concatenate([*states_in_order(read, steps=4, context=2)])
    expected = []
    for line in lines:
        own = np.array([newline, *map(text.characters.index, line)])[:, None]
        h = states(params, own, np.zeros((1, 6)), TANH)[1:, 0]
        expected += [*h[1:], h[0]]  # a newline leaves the state in which the next line starts
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("delimited", [False, True])
def test_predictions_are_those_of_the_softmax(delimited: bool) -> None:
    text = Text.of(RHYME)
    params = network(8, len(text.characters))
    newline = text.characters.index("\n") if delimited else None
    read = ReadText(params, TANH, text.ids, newline)
    entropy, surprisal = predictions(read)
    h = np.concatenate([*states_in_order(read)])
    weights = np.exp(h @ params.V.T + params.c)
    p = weights / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(entropy, -(p * np.log(p)).sum(axis=1), rtol=1e-9)
    expected = -np.log(p[np.arange(len(p) - 1), text.ids[1:]])
    np.testing.assert_allclose(surprisal[1:], expected, rtol=1e-9)
    if not delimited:
        assert surprisal[0] == pytest.approx(expected.mean())
    else:  # a line starts in the state that any newline leaves
        start = p[text.ids == newline][0]
        assert surprisal[0] == pytest.approx(-np.log(start[text.ids[0]]))
