"""Features of a text, on texts checked by hand and on any text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.text.enclosures import bracket_depths, inside_double_quotes, inside_single_quotes
from charrnn.text.features import IDENTITIES, features_of, raw_features
from charrnn.text.ngram import witten_bell_entropy
from charrnn.text.text import Text


def digits(values: np.ndarray) -> str:
    return "".join(str(int(value) % 10) for value in values)


def feature(name: str, text: str) -> str:
    return digits(dict(raw_features(Text.of(text)))[name])


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ('a "b c" d', "001111000"),
        ("“a” b «c» „d“ »e«", "11000011001100110"),
        ('"a\nb" c', "1111000"),
        ('"a\n\nb" c"', "110001110"),
        ('"a\n \nb"', "1100001"),
        ('"a', "11"),
        ("“a “b” c", "11111000"),
        ('"a\x03b"c', "110011"),
    ],
)
def test_double_quotes(text: str, inside: str) -> None:
    """Open from the opening quote to before the closing one, or the next blank line."""
    assert digits(inside_double_quotes(text)) == inside


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("a 'b c' d", "001111000"),
        ("it's the dogs' bone", "0" * 19),
        ("'Tis I, 'twas th' end", "0" * 21),
        ("‘it’s a’ b", "1111111000"),
        ("he said 'it's on.' so", "000000001111111110000"),
        ("'a\n\nb' c", "00000000"),
        ("'never closed", "0" * 13),
        ("c = 'x'", "0000110"),
        ("' a '", "00000"),
    ],
)
def test_single_quotes_are_no_apostrophes(text: str, inside: str) -> None:
    assert digits(inside_single_quotes(text)) == inside


@pytest.mark.parametrize(
    ("opening", "text", "depth"),
    [
        ("(", "a (b (c) d) e", "0011122111000"),
        ("(", "a) (b", "00000"),
        ("(", "(a\n\nb)", "000000"),
        ("{", "{a\n\nb}", "111110"),
        ("{", "{(a\n\nb}", "1111110"),
        ("[", "[a (b] c)", "111110000"),
        ("(", "[a (b] c)", "000000000"),
        ("<", "a < b <b>c</b> d", "0000001100111000"),
        ("<", "a -> b", "000000"),
    ],
)
def test_brackets_count_with_their_partners(opening: str, text: str, depth: str) -> None:
    assert digits(bracket_depths(text)[opening]) == depth


TEXT = "  Ab. c!\n\n XYZ 1é\n"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("position in word", "001200100001230010"),
        ("start of word", "001000100001000010"),
        ("word in capitals", "000000000000110000"),
        ("position in line", "123456780012345670"),
        ("newline", "000000001100000001"),
        ("start of line", "100000000110000000"),
        ("indentation", "122222220011111110"),
        ("position in sentence", "123401201234567890"),
        ("letter", "001100100001110010"),
        ("capital letter", "001000000001110000"),
        ("vowel", "001000000000000010"),
        ("digit", "000000000000000100"),
        ("punctuation", "000010010000000000"),
        ("whitespace", "110001001110001001"),
        ("character ' '", "110001000010001000"),
    ],
)
def test_positions_and_kinds_of_characters(name: str, values: str) -> None:
    assert len(values) == len(TEXT)
    assert feature(name, TEXT) == values


def test_a_paragraph_starts_after_a_blank_line() -> None:
    assert feature("position in paragraph", "ab\nc\n\nd\n \ne\x03f") == "1234501230101"


def test_features_that_do_not_vary_or_are_the_same_are_left_out() -> None:
    found = features_of(
        Text.of("ab (c) d.\n" * 5), {"squares": np.arange(50) ** 2, "minus": -(np.arange(50) ** 2)}
    )
    assert "inside ()" in found.names
    assert {"digit", "inside []", "nesting depth", "minus"} <= {*found.omitted}
    assert "squares" in found.names
    assert not {*found.names} & {*found.omitted}


@given(st.text(alphabet=st.sampled_from("ab \n\t.\"'()[]{}<>“”‘’é\x031A\u0301文"), min_size=1))
def test_any_text_has_finite_standardised_features(string: str) -> None:
    text = Text.of(string)
    for name, values in raw_features(text):
        assert values.shape == (len(string),), name
        assert np.isfinite(values).all(), name
        assert (values >= 0).all(), name
    found = features_of(text)
    assert found.values.shape == (len(string), len(found.names))
    np.testing.assert_allclose(found.values.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose((found.values**2).mean(axis=0), 1, atol=1e-5)


@given(
    st.text(alphabet="ab. \n\"'(){}", max_size=40), st.text(alphabet="ab. \n\"'(){}", max_size=40)
)
def test_a_blank_line_separates_texts(first: str, second: str) -> None:
    """What is open before it changes nothing after it, except for braces."""
    joined = f"{first}\n\n{second}"
    start = len(joined) - len(second)
    for function in (
        inside_double_quotes,
        inside_single_quotes,
        lambda text: bracket_depths(text)["("],
    ):
        np.testing.assert_array_equal(function(joined)[start:], function("\n\n" + second)[2:])


@given(st.text(alphabet="ab\"'(){}", min_size=1, max_size=60))
def test_the_past_determines_double_quotes(string: str) -> None:
    whole = inside_double_quotes(string)
    for length in range(1, len(string)):
        np.testing.assert_array_equal(inside_double_quotes(string[:length]), whole[:length])


def test_frequent_characters_are_features() -> None:
    text = Text.of("".join(chr(ord("a") + n) * (n + 1) for n in range(20)))
    names = [name for name, _ in raw_features(text) if name.startswith("character")]
    assert names == [f"character {chr(ord('t') - n)!r}" for n in range(IDENTITIES)]


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_the_entropy_is_that_of_a_literal_count(order: int) -> None:
    random, A = np.random.default_rng(order), 5
    ids = random.integers(0, A, 200) * random.integers(0, 2, 200)
    expected = []
    for end in range(1, len(ids) + 1):
        p = np.full(A, 1 / A)
        for length in range(min(order, end) + 1):
            before = ids[end - length : end]
            counts = np.zeros(A)
            for place in range(length, len(ids)):
                if np.array_equal(ids[place - length : place], before) and place > 0:
                    counts[ids[place]] += 1
            if n := counts.sum():
                d = np.count_nonzero(counts)
                p = (counts + d * p) / (n + d)
        expected.append(-(p * np.log(p)).sum())
    np.testing.assert_allclose(witten_bell_entropy(ids, order, A), expected, rtol=1e-12)


@given(st.text(alphabet="abc", min_size=1, max_size=60))
def test_the_entropy_is_between_certainty_and_guessing(string: str) -> None:
    found = witten_bell_entropy(Text.of(string).ids, 2, 3)
    assert (found >= 0).all()
    assert (found <= np.log(3) + 1e-12).all()
