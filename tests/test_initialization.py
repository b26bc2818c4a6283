"""The distributions of the weights before training, for matrices with rows ≠ columns."""

import numpy as np
import pytest
from numpy.random import default_rng

from charrnn.model.initialization import INITIALIZERS, initial_params

SHAPES = [(600, 150), (150, 600)]

# the variance of an entry by the paper that each initializer's docstring names
VARIANCES = {
    "orthogonal": lambda rows, columns: 1 / max(rows, columns),
    "glorot": lambda rows, columns: 2 / (rows + columns),
    "normal": lambda rows, columns: 1 / columns,
    "identity": lambda rows, columns: min(rows, columns) / (rows * columns),
}


def drawn(name: str, rows: int, columns: int) -> np.ndarray:
    return INITIALIZERS[name](default_rng(0), rows, columns)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", INITIALIZERS)
def test_each_initializer_has_the_variance_of_its_source(name, shape) -> None:
    """Of 90,000 entries: 2 % is more than four standard errors."""
    weights = drawn(name, *shape)
    assert weights.shape == shape
    mean_square = (weights**2).mean()
    assert mean_square == pytest.approx(VARIANCES[name](*shape), rel=0.02)
    if name != "identity":
        assert abs(weights.mean()) < 4 * np.sqrt(mean_square / weights.size)


@pytest.mark.parametrize("shape", SHAPES)
def test_glorot_is_uniform_up_to_its_bound(shape) -> None:
    bound = np.sqrt(6 / sum(shape))
    weights = drawn("glorot", *shape)
    assert 0.999 * bound < np.abs(weights).max() <= bound
    shares = np.histogram(weights, bins=10, range=(-bound, bound))[0] / weights.size
    np.testing.assert_allclose(shares, 0.1, rtol=0.05)


@pytest.mark.parametrize("shape", SHAPES)
def test_normal_has_the_kurtosis_of_a_gaussian(shape) -> None:
    weights = drawn("normal", *shape)
    assert (weights**4).mean() / (weights**2).mean() ** 2 == pytest.approx(3, rel=0.03)


@pytest.mark.parametrize("shape", [*SHAPES, (80, 80)])
def test_orthogonal_is_orthonormal_along_the_shorter_side(shape) -> None:
    Q = drawn("orthogonal", *shape)
    few = Q if shape[0] <= shape[1] else Q.T
    np.testing.assert_allclose(few @ few.T, np.eye(min(shape)), atol=1e-12)


def test_orthogonal_is_uniform_over_rotations_and_reflections() -> None:
    """Both (1) and (-1) are drawn; QR alone would always give the same sign."""
    random = default_rng(0)
    signs = [INITIALIZERS["orthogonal"](random, 1, 1).item() for _ in range(1000)]
    assert set(np.round(signs, 12)) == {-1.0, 1.0}
    assert abs(np.mean(signs)) < 0.1
    corners = [INITIALIZERS["orthogonal"](random, 3, 3)[0, 0] for _ in range(3000)]
    assert abs(np.mean(corners)) < 0.05
    assert np.square(corners).mean() == pytest.approx(1 / 3, rel=0.05)


@pytest.mark.parametrize("shape", [*SHAPES, (80, 80)])
def test_identity_is_the_identity(shape) -> None:
    assert np.array_equal(drawn("identity", *shape), np.eye(*shape))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", INITIALIZERS)
def test_each_parameter_is_drawn_by_the_initializer_of_its_name(name, shape) -> None:
    """U is (H, A) and V is (A, H): the number of inputs is that of the columns."""
    H, A = shape
    params = initial_params(
        default_rng(0), H, A, input=name, recurrent="normal", output=name, recurrent_gain=3.0
    )
    for weights, rows, columns in ((params.U, H, A), (params.V, A, H)):
        assert weights.shape == (rows, columns)
        assert (weights**2).mean() == pytest.approx(VARIANCES[name](rows, columns), rel=0.02)
    assert (params.W**2).mean() == pytest.approx(9 / H, rel=0.05)
    assert not params.b.any()
    assert not params.c.any()
