"""The same network in PyTorch (the extra `bench`): nn.RNN of as many layers."""

import numpy as np
import pytest
from numpy.random import default_rng

from charrnn.analysis.problems import random_problem
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.bptt import bptt
from charrnn.model.rnn import logits, states

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("name", ["tanh", "relu"])
@pytest.mark.parametrize("layers", [1, 2, 4])
@pytest.mark.parametrize("bias", [True, False])
def test_logits_and_gradients_are_those_of_a_stack_in_pytorch(name, layers, bias) -> None:
    problem = random_problem(default_rng(1), 9, 6, 11, 3, bias, layers)
    params, (x, y, *_), h0, _ = problem
    named = dict(params.named())
    rnn = torch.nn.RNN(6, 9, layers, nonlinearity=name, bias=bias, dtype=torch.float64)
    output = torch.nn.Linear(9, 6, bias=bias, dtype=torch.float64)
    pairs = {"V": output.weight}  # ours → theirs
    for suffix, (U, W, *biases) in zip(params.layout.suffixes, rnn.all_weights, strict=True):
        pairs |= {f"U{suffix}": U, f"W{suffix}": W}
        if bias:
            pairs[f"b{suffix}"] = biases[0]
            torch.nn.init.zeros_(biases[1])
    if bias:
        pairs["c"] = output.bias
    with torch.no_grad():
        for parameter, theirs in pairs.items():
            theirs.copy_(torch.from_numpy(named[parameter]))
    assert pairs.keys() == named.keys()
    start = torch.from_numpy(np.stack([h0[:, 9 * n : 9 * n + 9] for n in range(layers)]))
    one_hot = torch.nn.functional.one_hot(torch.from_numpy(x), 6).double()
    top, last = rnn(one_hot, start)
    o = output(top)
    loss = torch.nn.functional.cross_entropy(o.reshape(-1, 6), torch.from_numpy(y).reshape(-1))
    loss.backward()
    h = states(params, x, h0, ACTIVATIONS[name])
    np.testing.assert_allclose(logits(params, h[1:]), o.detach().numpy(), rtol=1e-12, atol=1e-14)
    found, gradient, carried = bptt(params, problem.window, h0, ACTIVATIONS[name])
    assert found == pytest.approx(loss.item(), rel=1e-13)
    for n in range(layers):
        theirs = last[n].detach().numpy()
        np.testing.assert_allclose(carried[:, 9 * n : 9 * n + 9], theirs, rtol=1e-12)
    for parameter, array in gradient.named():
        theirs = pairs[parameter].grad.numpy()
        np.testing.assert_allclose(array, theirs, rtol=1e-10, atol=1e-14, err_msg=parameter)
