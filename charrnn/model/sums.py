"""Sums over steps and lanes, which gradients of weights are."""

import numpy as np

from charrnn.arrays import Array
from charrnn.model.workspace import Workspace

# multiplications up to which dU is a product with one-hot rows, which is the faster form there
MAX_ONE_HOT_PRODUCT = 30_000_000


def sum_of_outer_products(left: Array, right: Array, out: Array) -> None:
    """Σ_t left_t ⊗ right_t over steps and lanes: (T, B, M) and (T, B, N) → (M, N)."""
    np.dot(left.reshape(-1, left.shape[-1]).T, right.reshape(-1, right.shape[-1]), out=out)


def sum_rows(rows: Array, ones: Array, out: Array) -> None:
    """The sum of rows (N, M) into out (M,): as a product, several times faster than as a sum."""
    np.dot(ones[: len(rows)], rows, out=out)


def input_gradient(da: Array, x: Array, ones: Array, workspace: Workspace, dU: Array) -> None:
    """dU = Σ_t da_t ⊗ x_t of (12), (H, A), from ids instead of one-hot vectors."""
    rows, ids = da.reshape(-1, da.shape[-1]), x.reshape(-1)
    N, A = len(ids), dU.shape[1]
    if N * A * max(len(dU), 32) <= MAX_ONE_HOT_PRODUCT:
        one_hot = workspace.array("one_hot", (N, A), da.dtype)
        one_hot[...] = 0
        one_hot[np.arange(N), ids] = 1
        np.dot(rows.T, one_hot, out=dU)
        return
    # a product with one-hot rows grows with A; the sum of the rows of each character does not
    order = np.argsort(ids, kind="stable")
    by_character = workspace.array("scratch", rows.shape, da.dtype)
    np.take(rows, order, axis=0, out=by_character, mode="clip")
    counts = np.bincount(ids, minlength=A)
    present = np.flatnonzero(counts)
    sums = workspace.array("sums", (len(present), rows.shape[1]), da.dtype)
    start = 0
    for count, total in zip(counts[present].tolist(), sums, strict=True):
        sum_rows(by_character[start : start + count], ones, total)
        start += count
    dU[...] = 0
    dU[:, present] = sums.T
