"""Matrix products in pieces so small that BLAS need not repack what it multiplies."""

from collections.abc import Callable

import numpy as np

from charrnn.arrays import Array
from charrnn.model.workspace import Workspace

# OpenBLAS multiplies operands where they lie while M · N · K is at most this; above, it first
# copies them into an order of its own, which takes as long as half of a thin product. Where a
# BLAS has no such threshold the pieces do no harm.
SMALL = 1_000_000
WIDTHS = (64, 32, 16)  # of a tile: multiples of the processor's vectors
WIDE = 256
HEIGHTS = (16, 8)  # of a stretch of rows


def product_with(
    matrix: Array, rows: int, workspace: Workspace, name: str
) -> Callable[[Array], Array]:
    """The function from left (rows, K) to left · matrix (rows, N), to be called many times.

    A large matrix is copied into tiles side by side, so that each product with one is small.
    The result is valid until the next call.
    """
    K, N = matrix.shape
    width = _width(rows, K, N)
    count = -(-N // width)
    out = workspace.array(f"{name} product", (rows, count * width), matrix.dtype)
    if count == 1:
        # of a single row both layouts are alike
        whole = matrix if rows == 1 or matrix.flags.c_contiguous else workspace.copy(name, matrix)
        return lambda left: left.dot(whole, out)  # np.dot itself looks twice at its arguments
    tiles = workspace.array(name, (count, K, width), matrix.dtype)
    for place, tile in enumerate(tiles):
        columns = matrix[:, place * width : (place + 1) * width]
        tile[:, : columns.shape[1]] = columns
        tile[:, columns.shape[1] :] = 0
    by_tile, result = out.reshape(rows, count, width).swapaxes(0, 1), out[:, :N]

    def product(left: Array) -> Array:
        np.matmul(left, tiles, out=by_tile)
        return result

    return product


def _width(rows: int, K: int, N: int) -> int:
    """How wide the tiles of a matrix (K, N) are; N: it stays whole."""
    if rows == 1 or rows * K * N <= SMALL:
        return N
    small = [width for width in WIDTHS if rows * K * width <= SMALL]
    if small:  # the widest, unless it leaves much of its last tile empty
        return min(small, key=lambda width: -(-N // width) * (width + 2))
    count = -(-N // WIDE)
    return N if count == 1 else -(-N // (16 * count)) * 16


def product_by_rows(left: Array, right: Array, out: Array) -> None:
    """left (M, K) · right (K, N) into out (M, N), a few of many rows at a time."""
    (M, K), N = left.shape, right.shape[1]
    rows = next((rows for rows in (M, *HEIGHTS) if rows * K * N <= SMALL), M)
    if rows >= M:
        np.matmul(left, right, out=out)
        return
    whole = M - M % rows
    np.matmul(left[:whole].reshape(-1, rows, K), right, out=out[:whole].reshape(-1, rows, N))
    if whole < M:
        np.matmul(left[whole:], right, out=out[whole:])
