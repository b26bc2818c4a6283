"""Matrix products in pieces so small that BLAS does not repack their operands."""

from collections.abc import Callable

import numpy as np

from charrnn.arrays import Array
from charrnn.model.workspace import Workspace

# M · N · K up to which OpenBLAS multiplies operands in place. Above that it first copies them into
# an order of its own, which takes up to half the time of a thin product. With a BLAS that has no
# such threshold the pieces do no harm.
MAX_UNPACKED_PRODUCT = 1_000_000
TILE_WIDTHS = (64, 32, 16)  # multiples of the processor's vectors
PACKED_TILE_WIDTH = 256  # at most, of tiles that no width makes small enough
BLOCK_HEIGHTS = (16, 8)  # rows per product


def product_with(
    matrix: Array, rows: int, workspace: Workspace, name: str
) -> Callable[[Array], Array]:
    """Prepares products with one matrix that many left factors share.

    A large matrix is copied into tiles side by side, so that each product with one is small.

    Args:
        matrix: The right factor (K, N), which must not change while the result is in use.
        rows: The number of rows of the left factors.
        workspace: Holds tiles and products.
        name: Their name in it.

    Returns:
        A function of left (rows, K) to left · matrix (rows, N), valid until its next call.
    """
    K, N = matrix.shape
    width = _width(rows, K, N)
    count = -(-N // width)
    out = workspace.array(f"{name} product", (rows, count * width), matrix.dtype)
    if count == 1:
        # BLAS multiplies a single row as fast by a transposed matrix
        as_is = rows == 1 or matrix.flags.c_contiguous
        right = matrix if as_is else workspace.copy(name, matrix)
        return lambda left: left.dot(right, out)  # np.dot checks its arguments twice
    tiles = workspace.array(name, (count, K, width), matrix.dtype)
    for number, tile in enumerate(tiles):
        columns = matrix[:, number * width : (number + 1) * width]
        tile[:, : columns.shape[1]] = columns
        tile[:, columns.shape[1] :] = 0
    by_tile, result = out.reshape(rows, count, width).swapaxes(0, 1), out[:, :N]

    def product(left: Array) -> Array:
        np.matmul(left, tiles, out=by_tile)
        return result

    return product


def _width(rows: int, K: int, N: int) -> int:
    """Width of the tiles of a matrix (K, N); N if it is not cut."""
    if rows == 1 or rows * K * N <= MAX_UNPACKED_PRODUCT:
        return N
    unpacked = [width for width in TILE_WIDTHS if rows * K * width <= MAX_UNPACKED_PRODUCT]
    if unpacked:  # the widest, unless it leaves much of its last tile empty
        return min(unpacked, key=lambda width: -(-N // width) * (width + 2))
    count = -(-N // PACKED_TILE_WIDTH)
    return N if count == 1 else -(-N // (16 * count)) * 16


def product_by_rows(left: Array, right: Array, out: Array) -> None:
    """Multiplies left (M, K) · right (K, N) into out (M, N), a few of many rows at a time."""
    (M, K), N = left.shape, right.shape[1]
    heights = (M, *BLOCK_HEIGHTS)
    rows = next((rows for rows in heights if rows * K * N <= MAX_UNPACKED_PRODUCT), M)
    if rows >= M:
        np.matmul(left, right, out=out)
        return
    end = M - M % rows  # of the last full block
    np.matmul(left[:end].reshape(-1, rows, K), right, out=out[:end].reshape(-1, rows, N))
    if end < M:
        np.matmul(left[end:], right, out=out[end:])
