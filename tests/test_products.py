"""Tiled products are exact, and a training step allocates no large arrays."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from numpy.random import default_rng

from charrnn.config.layers import load_config
from charrnn.model import products
from charrnn.model.initialization import initial_params
from charrnn.model.products import product_by_rows, product_with
from charrnn.model.workspace import Workspace
from charrnn.optim.clipping import make_clip
from charrnn.optim.optimizers import OPTIMIZERS, make_optimizer
from charrnn.setup.wiring import objective_maker
from charrnn.training.parallel import parallel
from charrnn.training.workers import worker_threads
from charrnn.window import Window
from tests.test_optim import CHOICES

sizes = st.integers(1, 90)


@given(sizes, sizes, sizes, st.sampled_from([1, 100, 2000, 10**6]), st.booleans())
def test_a_product_in_tiles_is_the_product(rows, K, N, small, transposed) -> None:
    random = default_rng(0)
    matrix = random.standard_normal((N, K)).T if transposed else random.standard_normal((K, N))
    workspace = Workspace()
    workspace.array("W", (200_000,), np.float64)[...] = np.nan  # to be overwritten
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "MAX_UNPACKED_PRODUCT", small)
        patch.setattr(products, "PACKED_TILE_WIDTH", 32)
        product = product_with(matrix, rows, workspace, "W")
        for _ in range(2):
            left = random.standard_normal((rows, K))
            np.testing.assert_allclose(product(left), left @ matrix, rtol=1e-12, atol=1e-12)


class Watched(Workspace):
    """A workspace that records the tiles it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.tiles: list[tuple[int, ...]] = []

    def array(self, name, shape, dtype):
        if len(shape) == 3:
            self.tiles.append(shape)
        return super().array(name, shape, dtype)


def tiles_of(rows: int, K: int, N: int) -> list[tuple[int, ...]]:
    workspace = Watched()
    product_with(np.zeros((K, N)), rows, workspace, "W")
    return workspace.tiles


@given(st.integers(16, 64), st.integers(100, 300), st.integers(200, 400))
@example(rows=32, K=200, N=240)  # 15 tiles of 16 fit exactly, 4 of 64 are quicker
@example(rows=32, K=200, N=272)  # 17 tiles of 16 fit exactly, 9 of 32 are quicker
@example(rows=64, K=300, N=65)  # with 32 or 64 the last tile would be almost empty
def test_tiles_are_small_and_cost_least(rows: int, K: int, N: int) -> None:
    """A product costs its columns, padding included, plus about two per tile."""
    assume(rows * K * N > products.MAX_UNPACKED_PRODUCT)
    fitting = [
        width for width in products.TILE_WIDTHS if rows * K * width <= products.MAX_UNPACKED_PRODUCT
    ]
    costs = {width: -(-N // width) * (width + 2) for width in fitting}
    ((count, height, width),) = tiles_of(rows, K, N)
    assert (count, height) == (-(-N // width), K)
    assert costs[width] == min(costs.values())


@pytest.mark.parametrize(
    ("rows", "K", "N", "tiles"),
    [
        (32, 100, 312, []),  # already small
        (1, 2000, 2000, []),  # read once in either layout
        (64, 1500, 256, []),  # no tile is small; one of 256 columns would be the whole
        (64, 1500, 257, [(2, 1500, 144)]),  # no tile is small: as few as possible, of similar width
        (64, 1500, 1000, [(4, 1500, 256)]),
    ],
)
def test_sizes_without_small_tiles(rows, K, N, tiles) -> None:
    assert tiles_of(rows, K, N) == tiles


@given(sizes, sizes, sizes, st.sampled_from([1, 1000, 10**6]), st.booleans())
def test_a_product_by_rows_is_the_product(M, K, N, small, transposed) -> None:
    random = default_rng(0)
    left = random.standard_normal((M, K))
    right = random.standard_normal((N, K)).T if transposed else random.standard_normal((K, N))
    out = np.full((M, N), np.nan)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "MAX_UNPACKED_PRODUCT", small)
        product_by_rows(left, right, out)
    np.testing.assert_allclose(out, left @ right, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("alphabet_size", [65, 3000])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("by", ["norm", "value"])
def test_a_warm_step_allocates_nothing(alphabet_size: int, optimizer: str, by: str) -> None:
    """Only character counts and a vector of the size of the alphabet."""
    T, B, H = 32, 32, 96
    random = default_rng(0)
    params = initial_params(random, H, alphabet_size, dtype=np.float32)
    x, y = random.integers(0, alphabet_size, (2, T, B), dtype=np.int16)
    window, h0 = Window(x, y, np.zeros(B, bool)), np.zeros((B, H), np.float32)
    with worker_threads(2) as workers:
        objective = parallel(objective_maker(load_config("tiny", [], {})), workers)
        clip, chosen = (
            make_clip(by, 1e-3, workers.for_each_slice),
            make_optimizer(optimizer, **CHOICES[optimizer]),
        )
        state = chosen.init(params)

        def step() -> None:
            _, gradient, _ = objective(params, window, h0)
            clip(gradient)
            chosen.update(gradient, state, params, 1e-4, workers.for_each_slice)

        step()
        tracemalloc.start()
        try:
            step()
            start, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            step()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    a_state = 4 * T * B * H
    assert peak - start < a_state / 4
