"""The loops of a few lanes, in the part of Python that numba compiles."""

import numpy as np

from charrnn.model.kernels import (
    BLOCK,
    activate,
    add_outer_products,
    add_product,
    add_product_of_block,
    add_transposed_product,
    add_transposed_product_of_block,
    exp,
    jit,
)


@jit
def input_term(U, b, x, h):
    """Overwrites h (N, H) by U x + b of ids x (N,); b has no entries if there is no bias."""
    for n in range(len(x)):
        for i in range(len(U)):
            h[n, i] = U[i, x[n]]
        for i in range(b.size):
            h[n, i] += b[i]


@jit
def forward(W, h0, h, activation):
    """Overwrites h (T, B, H), the input terms, by the states after h0 (B, H)."""
    T, B = h.shape[:2]
    blocks = B - B % BLOCK
    for t in range(T):
        before = h[t - 1] if t else h0
        a = h[t]
        for b in range(0, blocks, BLOCK):
            add_product_of_block(W, before[b : b + BLOCK], a[b : b + BLOCK])
        for b in range(blocks, B):
            add_product(W, before[b], a[b])
        activate(a.reshape(-1), activation)


@jit
def backward(W, dh, slopes, da_next):
    """Overwrites dh (T, B, H) by da; `da_next` (B, H), or (0, H) for zero."""
    T, B, H = dh.shape
    blocks = B - B % BLOCK
    for t in range(T - 1, -1, -1):
        a = dh[t]
        later = dh[t + 1] if t + 1 < T else da_next
        if len(later):
            for b in range(0, blocks, BLOCK):
                add_transposed_product_of_block(W, later[b : b + BLOCK], a[b : b + BLOCK])
            for b in range(blocks, B):
                add_transposed_product(W, later[b], a[b])
        for b in range(B):
            for j in range(H):
                a[b, j] *= slopes[t, b, j]


@jit
def _softmax(o, y):
    """The summed loss of logits o (N, A) and targets y (N,); o is overwritten by ŷ_t - y_t."""
    N, A = o.shape
    single, loss = o.itemsize == 4, 0.0
    for n in range(N):
        row = o[n]
        if y[n] < 0:
            row[:] = 0
            continue
        top = row[0]
        for i in range(1, A):
            top = row[i] if row[i] > top else top
        at_target, total = np.float64(row[y[n]] - top), 0.0
        if single:
            for i in range(A):
                row[i] = exp(np.float64(row[i] - top))
        else:
            for i in range(A):
                row[i] = np.exp(row[i] - top)
        for i in range(A):
            total += row[i]
        for i in range(A):
            row[i] /= total
        row[y[n]] -= 1
        loss += np.log(total) - at_target
    return loss


@jit
def output(up, y, V, c, scale, o, dV, dc, da):
    """Equations (3) to (9): the summed loss, and the gradient divided by `scale`.

    up (N, H) are states, y (N,) targets; o (N, A), dV, dc and da (N, H), which is Vᵀ do, are
    overwritten. c and dc have no entries if there is no bias.
    """
    N, A = o.shape
    blocks = N - N % BLOCK
    for n in range(N):
        for i in range(A):
            o[n, i] = c[i] if c.size else 0
    for n in range(0, blocks, BLOCK):
        add_product_of_block(V, up[n : n + BLOCK], o[n : n + BLOCK])
    for n in range(blocks, N):
        add_product(V, up[n], o[n])
    loss = _softmax(o, y)
    factor = o.dtype.type(1 / scale)
    da[:] = 0
    dV[:] = 0
    dc[:] = 0
    for n in range(N):
        for i in range(A):
            o[n, i] *= factor
        for i in range(dc.size):
            dc[i] += o[n, i]
    for n in range(0, blocks, BLOCK):
        add_transposed_product_of_block(V, o[n : n + BLOCK], da[n : n + BLOCK])
    for n in range(blocks, N):
        add_transposed_product(V, o[n], da[n])
    add_outer_products(o, up, dV)
    return loss


@jit
def step(Ub, U, b, W, V, c, character, before, h, o, activation):
    """Writes states h (L, H) and logits o (A,) of a character after the states `before` (L, H).

    Ub (A, H) is U x + b of the first layer; U (L-1, H, H) and b (L-1, H) are of the others.
    """
    L, H = h.shape
    for n in range(L):
        a = h[n]
        if n == 0:
            for i in range(H):
                a[i] = Ub[character, i]
        else:
            for i in range(H):
                a[i] = b[n - 1, i]
            add_product(U[n - 1], h[n - 1], a)
        add_product(W[n], before[n], a)
        activate(a, activation)
    for i in range(o.size):
        o[i] = c[i]
    add_product(V, h[L - 1], o)


@jit
def input_gradient(da, x, dU):
    """dU (H, A) = Σ_n da_n ⊗ x_n, of da (N, H) and ids x (N,)."""
    dU[:] = 0
    for n in range(len(x)):
        for i in range(len(dU)):
            dU[i, x[n]] += da[n, i]
