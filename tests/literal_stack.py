"""A stack of layers written out from equations (22)-(26), and ways to get its gradient wrong."""

import numpy as np

from charrnn.analysis.problems import Problem
from charrnn.model.params import Params

F = {
    "tanh": (np.tanh, lambda h: 1 - h**2),
    "sigmoid": (lambda a: 1 / (1 + np.exp(-a)), lambda h: h * (1 - h)),
    "relu": (lambda a: np.maximum(a, 0), lambda h: (h > 0).astype(float)),
}

# each fault, and the parameters of two layers whose gradient it spoils
FAULTS = {
    "U of layer 2 not transposed": {"U1", "W1", "b1"},
    "gradient of the layer above dropped": {"U1", "W1", "b1"},
    "gradient of the layer above at the last step only": {"U1", "W1", "b1"},
    "h_{t-1} of the layer below in dU2": {"U2"},
    "h of the own layer in dU2": {"U2"},
    "W of the layers swapped": {"U1", "W1", "b1", "U2", "W2", "b2"},
    "slopes of the layers swapped": {"U1", "W1", "b1", "U2", "W2", "b2"},
    "b2 counted once": {"b2"},
    "dW2 from the layer below": {"W2"},
    "output term in both layers": {"U1", "W1", "b1"},
    "wrong by 0.05 %": {"W2"},
}
FAULTS_OF_DROPOUT = {
    "mask forgotten on the way down": {"U1", "W1", "b1"},
    "mask forgotten before V": {"U1", "W1", "b1", "U2", "W2", "b2"},
    "mask on what is carried in time": {"U1", "W1", "b1", "U2", "W2", "b2"},
    "dU2 from states that are not dropped": {"U2"},
    "dV from states that are not dropped": {"V"},
}


def forward(problem: Problem, name: str) -> tuple[np.ndarray, ...]:
    """h (L, T+1, B, H), M (L, T+1, B, H), ŷ (T+1, B, A); entry 0 of the last two is unused."""
    params, (x, *_), h0, mask = problem
    T, B = x.shape
    L, H = params.depth, params.hidden_size
    h = np.zeros((L, T + 1, B, H))
    for layer in range(L):
        h[layer, 0] = h0[:, layer * H : (layer + 1) * H]
    M = np.ones_like(h)
    if mask is not None:
        M[:, 1:] = mask
    y_hat = np.zeros((T + 1, B, params.alphabet_size))
    for lane in range(B):
        for t in range(1, T + 1):
            below = np.eye(params.alphabet_size)[x[t - 1, lane]]
            for number, (U, W, b) in enumerate(params.layers):
                a = U @ below + W @ h[number, t - 1, lane] + (0 if b is None else b)  # (22)
                h[number, t, lane] = F[name][0](a)
                below = M[number, t, lane] * h[number, t, lane]  # (26)
            o = params.V @ below + (0 if params.c is None else params.c)
            y_hat[t, lane] = np.exp(o - o.max()) / np.exp(o - o.max()).sum()
    return h, M, y_hat


def gradient(problem: Problem, name: str, fault: str | None = None) -> tuple[float, Params]:
    """The summed loss and its gradient by equations (23) and (24), with a fault if one is named."""
    params, (x, y, *_), _, _ = problem
    h, M, y_hat = forward(problem, name)
    slope = F[name][1](h)
    if fault == "slopes of the layers swapped":
        slope = slope[::-1]
    g, loss = params.zeros_like(), 0.0
    L, (T, B) = params.depth, x.shape
    W = [layer.W for layer in params.layers]
    if fault == "W of the layers swapped":
        W.reverse()
    for lane in range(B):
        da = np.zeros((L, T + 2, params.hidden_size))
        for t in range(T, 0, -1):
            target = y[t - 1, lane]
            if target < 0:
                do = np.zeros(params.alphabet_size)
            else:
                loss -= np.log(y_hat[t, lane, target])
                do = y_hat[t, lane] - np.eye(params.alphabet_size)[target]
            up = h[:, t, lane] * M[:, t, lane]
            undropped = fault == "dV from states that are not dropped"
            g.V[...] += np.outer(do, h[-1, t, lane] if undropped else up[-1])
            if g.c is not None:
                g.c[...] += do
            for n in range(L - 1, -1, -1):
                if n == L - 1:
                    above = params.V.T @ do
                else:
                    U = params.layers[n + 1].U
                    transposed = U if fault == "U of layer 2 not transposed" else U.T
                    above = transposed @ da[n + 1, t]
                    if fault == "gradient of the layer above dropped":
                        above *= 0
                    if fault == "gradient of the layer above at the last step only" and t < T:
                        above *= 0
                    if fault == "output term in both layers":
                        above += params.V.T @ do
                factor = M[n, t, lane]
                if fault == "mask forgotten on the way down" and n < L - 1:
                    factor = 1
                if fault == "mask forgotten before V" and n == L - 1:
                    factor = 1
                carried = W[n].T @ da[n, t + 1]
                if fault == "mask on what is carried in time":
                    carried = M[n, t, lane] * carried
                da[n, t] = slope[n, t, lane] * (factor * above + carried)  # (23), (24)
                before = h[n, t - 1, lane]
                if fault == "dW2 from the layer below" and n == 1:
                    before = h[0, t - 1, lane]
                g.layers[n].W[...] += np.outer(da[n, t], before)
                below = up[n - 1] if n else np.eye(params.alphabet_size)[x[t - 1, lane]]
                if n == 1:
                    below = {
                        "h_{t-1} of the layer below in dU2": h[0, t - 1, lane] * M[0, t, lane],
                        "h of the own layer in dU2": h[1, t, lane] * M[0, t, lane],
                        "dU2 from states that are not dropped": h[0, t, lane],
                    }.get(fault or "", below)
                g.layers[n].U[...] += np.outer(da[n, t], below)
                b = g.layers[n].b
                if b is not None and not (fault == "b2 counted once" and n == 1 and t < T):
                    b += da[n, t]
    if fault == "wrong by 0.05 %":
        g.layers[1].W[...] *= 1.0005
    return loss, g
