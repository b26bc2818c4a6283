"""Functions and products of a few lanes, in the part of Python that numba compiles.

NaN and infinity pass through as they do in NumPy: sums may be taken in another order and products
fused with them, but no number is assumed to be finite.
"""

from typing import Any

import numba
import numpy as np

TANH, SIGMOID, RELU = range(3)
BLOCK = 4  # lanes, or rows, that share what is read of a matrix

# division as in NumPy: Python's raises for zero, and a loop that may raise is not vectorized
jit: Any = numba.njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
exact: Any = numba.njit(nogil=True, error_model="numpy")  # no sum in another order


@exact
def tanh(x):
    """Computes m / (m + 2) with m = exp(2x) - 1, in double precision.

    exp(2r) - 1 = m (m + 2) where m = exp(r) - 1, which loses nothing near zero.
    """
    y: Any = 2.0 * np.float64(x)
    y = 40.0 if y > 40.0 else y  # tanh is 1 there
    y = -40.0 if y < -40.0 else y
    r = y / 256
    m = 1 / 3628800 + r / 39916800
    m = 1 / 362880 + r * m
    m = 1 / 40320 + r * m
    m = 1 / 5040 + r * m
    m = 1 / 720 + r * m
    m = 1 / 120 + r * m
    m = 1 / 24 + r * m
    m = 1 / 6 + r * m
    m = 0.5 + r * m
    m = r + r * r * m
    m = m * (m + 2)
    m = m * (m + 2)
    m = m * (m + 2)
    m = m * (m + 2)
    m = m * (m + 2)
    m = m * (m + 2)
    m = m * (m + 2)
    m = m * (m + 2)
    return m / (m + 2)


@exact
def exp(x):
    """Computes exp(x) of x <= 0 for single precision, in double precision."""
    y: Any = -104.0 if x < -104.0 else x  # it is 0 there
    r = y / 256
    e = 1 / 40320 + r * (1 / 362880 + r * (1 / 3628800 + r / 39916800))
    e = 1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040 + r * e)))
    e = 1 + r * (1 + r * (0.5 + r * (1 / 6 + r * e)))
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    return e * e


@jit
def activate(a, activation):
    """Overwrites a (H,) by f(a), equation (2)."""
    if activation == TANH:
        for i in range(a.size):
            a[i] = tanh(a[i])
    elif activation == SIGMOID:
        for i in range(a.size):
            a[i] = 0.5 * tanh(0.5 * a[i]) + 0.5
    else:
        for i in range(a.size):
            a[i] = 0 if a[i] <= 0 else a[i]


@jit
def add_product(W, h, a):
    """a (M,) += W h, of W (M, N) and h (N,)."""
    M, N = W.shape
    zero = W.dtype.type(0)
    for i in range(0, M - 3, 4):
        w0, w1, w2, w3 = W[i], W[i + 1], W[i + 2], W[i + 3]
        s0 = s1 = s2 = s3 = zero
        for j in range(N):
            x = h[j]
            s0 += w0[j] * x
            s1 += w1[j] * x
            s2 += w2[j] * x
            s3 += w3[j] * x
        a[i] += s0
        a[i + 1] += s1
        a[i + 2] += s2
        a[i + 3] += s3
    for i in range(M - M % 4, M):
        w, s = W[i], zero
        for j in range(N):
            s += w[j] * h[j]
        a[i] += s


@jit
def add_product_of_block(W, h, a):
    """The same for the lanes of a block: h (BLOCK, N), a (BLOCK, M)."""
    M, N = W.shape
    zero = W.dtype.type(0)
    h0, h1, h2, h3 = h[0], h[1], h[2], h[3]
    for i in range(0, M - 3, 4):
        w0, w1, w2, w3 = W[i], W[i + 1], W[i + 2], W[i + 3]
        s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = zero
        s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = zero
        for j in range(N):
            v0, v1, v2, v3 = w0[j], w1[j], w2[j], w3[j]
            x = h0[j]
            s00 += v0 * x
            s01 += v1 * x
            s02 += v2 * x
            s03 += v3 * x
            x = h1[j]
            s10 += v0 * x
            s11 += v1 * x
            s12 += v2 * x
            s13 += v3 * x
            x = h2[j]
            s20 += v0 * x
            s21 += v1 * x
            s22 += v2 * x
            s23 += v3 * x
            x = h3[j]
            s30 += v0 * x
            s31 += v1 * x
            s32 += v2 * x
            s33 += v3 * x
        a[0, i] += s00
        a[0, i + 1] += s01
        a[0, i + 2] += s02
        a[0, i + 3] += s03
        a[1, i] += s10
        a[1, i + 1] += s11
        a[1, i + 2] += s12
        a[1, i + 3] += s13
        a[2, i] += s20
        a[2, i + 1] += s21
        a[2, i + 2] += s22
        a[2, i + 3] += s23
        a[3, i] += s30
        a[3, i + 1] += s31
        a[3, i + 2] += s32
        a[3, i + 3] += s33
    for i in range(M - M % 4, M):
        w = W[i]
        s0 = s1 = s2 = s3 = zero
        for j in range(N):
            v = w[j]
            s0 += v * h0[j]
            s1 += v * h1[j]
            s2 += v * h2[j]
            s3 += v * h3[j]
        a[0, i] += s0
        a[1, i] += s1
        a[2, i] += s2
        a[3, i] += s3


@jit
def add_transposed_product(W, d, a):
    """a (N,) += Wᵀ d, of W (M, N) and d (M,)."""
    M, N = W.shape
    for i in range(0, M - 3, 4):
        w0, w1, w2, w3 = W[i], W[i + 1], W[i + 2], W[i + 3]
        d0, d1, d2, d3 = d[i], d[i + 1], d[i + 2], d[i + 3]
        for j in range(N):
            a[j] += w0[j] * d0 + w1[j] * d1 + w2[j] * d2 + w3[j] * d3
    for i in range(M - M % 4, M):
        w, x = W[i], d[i]
        for j in range(N):
            a[j] += w[j] * x


@jit
def add_transposed_product_of_block(W, d, a):
    """The same for the lanes of a block: d (BLOCK, M), a (BLOCK, N)."""
    M, N = W.shape
    a0, a1, a2, a3 = a[0], a[1], a[2], a[3]
    for i in range(0, M - 3, 4):
        w0, w1, w2, w3 = W[i], W[i + 1], W[i + 2], W[i + 3]
        p0, p1, p2, p3 = d[0, i], d[0, i + 1], d[0, i + 2], d[0, i + 3]
        q0, q1, q2, q3 = d[1, i], d[1, i + 1], d[1, i + 2], d[1, i + 3]
        r0, r1, r2, r3 = d[2, i], d[2, i + 1], d[2, i + 2], d[2, i + 3]
        u0, u1, u2, u3 = d[3, i], d[3, i + 1], d[3, i + 2], d[3, i + 3]
        for j in range(N):
            v0, v1, v2, v3 = w0[j], w1[j], w2[j], w3[j]
            a0[j] += v0 * p0 + v1 * p1 + v2 * p2 + v3 * p3
            a1[j] += v0 * q0 + v1 * q1 + v2 * q2 + v3 * q3
            a2[j] += v0 * r0 + v1 * r1 + v2 * r2 + v3 * r3
            a3[j] += v0 * u0 + v1 * u1 + v2 * u2 + v3 * u3
    for i in range(M - M % 4, M):
        w, p, q, r, u = W[i], d[0, i], d[1, i], d[2, i], d[3, i]
        for j in range(N):
            v = w[j]
            a0[j] += v * p
            a1[j] += v * q
            a2[j] += v * r
            a3[j] += v * u


@jit
def add_outer_products(left, right, out):
    """out (M, K) += Σ_n left_n ⊗ right_n, of left (N, M) and right (N, K)."""
    N, M = left.shape
    columns = np.empty((BLOCK, N), left.dtype)
    blocks = M - M % BLOCK
    for i in range(0, blocks, BLOCK):
        for n in range(N):
            for k in range(BLOCK):
                columns[k, n] = left[n, i + k]
        add_transposed_product_of_block(right, columns, out[i : i + BLOCK])
    for i in range(blocks, M):
        for n in range(N):
            columns[0, n] = left[n, i]
        add_transposed_product(right, columns[0], out[i])
