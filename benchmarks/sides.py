"""The same work in charrnn and its peers, behind one interface.

All sides start from the same weights. `gradient(x, y)` returns loss and gradient; `step(x, y)`
makes one update: forward, backward, clip, Adam.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from charrnn.system.ranks import Ranks

Weights = dict[str, np.ndarray]
CLIP, RATE = 1.0, 1e-3
THREADS = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)


def has_numba() -> bool:
    """Whether numba is installed (the extra `fast`)."""
    return find_spec("numba") is not None


class Sizes(NamedTuple):
    """Time steps T, lanes B, hidden units H, alphabet size A."""

    T: int
    B: int
    H: int
    A: int
    L: int = 1  # layers

    @property
    def layers(self) -> tuple[str, ...]:
        """What the names of each layer's parameters end with, as in charrnn."""
        return ("",) if self.L == 1 else tuple(str(n + 1) for n in range(self.L))

    @property
    def multiplications(self) -> int:
        """Multiplications per character of the forward pass: W, U of upper layers, V."""
        return self.H * self.H * (2 * self.L - 1) + self.A * self.H

    def __str__(self) -> str:
        H = self.H if self.L == 1 else f"{self.L} × {self.H}"
        return f"{self.T}, {self.B}, {H}, {self.A}"


class Side(NamedTuple):
    """One implementation; x and y are ids (T, B). `close` ends its threads."""

    gradient: Callable[[np.ndarray, np.ndarray], tuple[float, Weights]]
    step: Callable[[np.ndarray, np.ndarray], None]
    close: Callable[[], None] = lambda: None


def first_weights(sizes: Sizes) -> Weights:
    """The initial weights in float32, the same for all sides."""
    random = np.random.default_rng(1)
    shapes = {}
    for n in sizes.layers:
        shapes["U" + n] = (sizes.H, sizes.H if shapes else sizes.A)
        shapes["W" + n] = (sizes.H, sizes.H)
    shapes["V"] = (sizes.A, sizes.H)
    weights = {
        name: (random.standard_normal(shape) / np.sqrt(shape[1])).astype(np.float32)
        for name, shape in shapes.items()
    }
    weights |= {"b" + n: np.zeros(sizes.H, np.float32) for n in sizes.layers}
    return weights | {"c": np.zeros(sizes.A, np.float32)}


def windows(sizes: Sizes) -> tuple[np.ndarray, np.ndarray]:
    """Ids (T, B) of inputs and targets."""
    ids = np.random.default_rng(2).integers(0, sizes.A, (sizes.T + 1, sizes.B)).astype(np.int32)
    return ids[:-1].copy(), ids[1:].copy()


def charrnn(
    sizes: Sizes,
    threads: int | None = None,
    compiled: bool | None = None,
    ranks: "Ranks | None" = None,
) -> Side:
    """charrnn as its trainer runs it; by default with the number of threads that it chooses.

    compiled: whether numba computes what it computes faster; None as in a long run.
    ranks: the processes that share the lanes, each with as many threads.
    """
    from charrnn.model.activations import ACTIVATIONS
    from charrnn.model.backend import NUMPY
    from charrnn.model.bptt import bptt
    from charrnn.model.compiled import compiled_backend, pays
    from charrnn.model.params import Params
    from charrnn.model.workspace import Workspace
    from charrnn.optim.clipping import make_clip
    from charrnn.optim.optimizers import make_optimizer
    from charrnn.training.parallel import divided, parallel
    from charrnn.training.workers import choose_workers, worker_threads
    from charrnn.window import Window

    params = Params.of(**first_weights(sizes))
    lanes = -(-sizes.B // ranks.size) if ranks else sizes.B
    count = choose_workers("auto", lanes, sizes.H) if threads is None else threads
    if compiled is None:
        compiled = has_numba() and pays(sizes.H, -(-lanes // count), params.dtype)
    adam = None
    if compiled:
        from charrnn.optim.adam_kernel import adam
    optimizer = make_optimizer("adam", beta1=0.9, beta2=0.999, epsilon=1e-8, compiled=adam)
    backend = compiled_backend() if compiled else NUMPY
    state = optimizer.init(params)
    h0, fresh = np.zeros((sizes.B, sizes.L * sizes.H), np.float32), np.zeros(sizes.B, bool)

    def make() -> Any:
        return partial(bptt, activation=ACTIVATIONS["tanh"], workspace=Workspace(), backend=backend)

    stack = ExitStack()
    workers = stack.enter_context(worker_threads(count, ranks))
    objective = parallel(make, workers)
    if ranks:
        objective = divided(objective, ranks, sizes.B)
    clip = make_clip("norm", CLIP, workers.for_each_slice)

    def gradient(x: np.ndarray, y: np.ndarray) -> tuple[float, Weights]:
        loss, found, _ = objective(params, Window(x, y, fresh), h0)
        return loss, {name: array.copy() for name, array in found.named()}

    def step(x: np.ndarray, y: np.ndarray) -> None:
        _, found, _ = objective(params, Window(x, y, fresh), h0)
        clip(found)
        optimizer.update(found, state, params, RATE, workers.for_each_slice)

    return Side(gradient, step, stack.close)


def torch_rnn(sizes: Sizes, compiled: bool = False) -> Side:
    """PyTorch's nn.RNN with one-hot inputs, and PyTorch's loss, clipping and Adam."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(THREADS)
    weights = first_weights(sizes)

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = torch.nn.RNN(sizes.A, sizes.H, sizes.L)
            self.out = torch.nn.Linear(sizes.H, sizes.A)
            with torch.no_grad():
                for n, (U, W, b, second_b) in zip(sizes.layers, self.rnn.all_weights, strict=True):
                    U.copy_(torch.from_numpy(weights["U" + n]))
                    W.copy_(torch.from_numpy(weights["W" + n]))
                    b.zero_()
                    second_b.zero_()
                self.out.weight.copy_(torch.from_numpy(weights["V"]))
                self.out.bias.zero_()
            for *_, second_b in self.rnn.all_weights:
                second_b.requires_grad_(False)  # one bias, like the other sides

        def forward(self, x: Any, y: Any) -> Any:
            h, _ = self.rnn(functional.one_hot(x, sizes.A).float())
            return functional.cross_entropy(self.out(h).view(-1, sizes.A), y.view(-1))

    model = Model()
    names = {"V": model.out.weight, "c": model.out.bias}
    for n, (U, W, b, _) in zip(sizes.layers, model.rnn.all_weights, strict=True):
        names |= {"U" + n: U, "W" + n: W, "b" + n: b}
    return _torch_side(torch, model, names, compiled)


def torch_loop(sizes: Sizes, compiled: bool = False) -> Side:
    """PyTorch with an explicit loop over time and embedded inputs."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(THREADS)
    weights = {name: torch.from_numpy(array) for name, array in first_weights(sizes).items()}

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, array in weights.items():
                start = array.T.contiguous() if array.ndim == 2 else array.clone()
                self.register_parameter(name, torch.nn.Parameter(start))

        def forward(self, x: Any, y: Any) -> Any:
            up = None
            for n in sizes.layers:
                U, W, b = (getattr(self, name + n) for name in "UWb")
                a = functional.embedding(x, U) + b if up is None else up @ U + b
                h, states = torch.zeros(sizes.B, sizes.H), []
                for a_t in a.unbind(0):
                    h = torch.tanh(torch.addmm(a_t, h, W))
                    states.append(h)
                up = torch.stack(states)
            o = up.view(-1, sizes.H) @ self.V + self.c
            return functional.cross_entropy(o, y.view(-1))

    model = Model()
    return _torch_side(torch, model, dict(model.named_parameters()), compiled, transposed=True)


def _torch_side(
    torch: Any, model: Any, names: dict[str, Any], compiled: bool, transposed: bool = False
) -> Side:
    trained = [parameter for parameter in names.values() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=RATE, fused=True)
    call = torch.compile(model) if compiled else model

    def backward(x: np.ndarray, y: np.ndarray) -> float:
        optimizer.zero_grad(set_to_none=True)
        loss = call(torch.from_numpy(x).long(), torch.from_numpy(y).long())
        loss.backward()
        return loss

    def gradient(x: np.ndarray, y: np.ndarray) -> tuple[float, Weights]:
        loss = float(backward(x, y).detach())
        found = {name: parameter.grad.numpy().copy() for name, parameter in names.items()}
        if transposed:
            found = {name: array.T for name, array in found.items()}
        return loss, found

    def step(x: np.ndarray, y: np.ndarray) -> None:
        backward(x, y)
        torch.nn.utils.clip_grad_norm_(trained, CLIP)
        optimizer.step()

    return Side(gradient, step)


def jax_scan(sizes: Sizes) -> Side:
    """JAX with lax.scan, the whole step under jit, and optax for clipping and Adam."""
    import jax
    import jax.numpy as jnp
    import optax

    params = {name: jnp.asarray(array) for name, array in first_weights(sizes).items()}

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        up = None
        for n in sizes.layers:
            U, W, b = (params[name + n] for name in "UWb")
            a = (jnp.take(U.T, x, axis=0) if up is None else up @ U.T) + b

            def forward(h: Any, a_t: Any, W: Any = W) -> Any:
                h = jnp.tanh(a_t + h @ W.T)
                return h, h

            _, up = jax.lax.scan(forward, jnp.zeros((sizes.B, sizes.H)), a)
        o = up @ params["V"].T + params["c"]
        return optax.softmax_cross_entropy_with_integer_labels(o, y).mean()

    optimizer = optax.chain(optax.clip_by_global_norm(CLIP), optax.adam(RATE))
    state = [params, optimizer.init(params)]
    value_and_gradient = jax.jit(jax.value_and_grad(loss_of))

    def update(params: Any, slots: Any, x: Any, y: Any) -> Any:
        gradient = jax.grad(loss_of)(params, x, y)
        changes, slots = optimizer.update(gradient, slots)
        return optax.apply_updates(params, changes), slots

    update = jax.jit(update, donate_argnums=(0, 1))

    def gradient(x: np.ndarray, y: np.ndarray) -> tuple[float, Weights]:
        loss, found = value_and_gradient(params, x, y)
        return float(loss), {name: np.asarray(array) for name, array in found.items()}

    def step(x: np.ndarray, y: np.ndarray) -> None:
        state[:] = update(*state, x, y)
        jax.block_until_ready(state[0])

    return Side(gradient, step)


SIDES: dict[str, Callable[[Sizes], Side]] = {
    "charrnn": charrnn,
    "charrnn by NumPy": partial(charrnn, compiled=False),
    "PyTorch nn.RNN": torch_rnn,
    "PyTorch loop": torch_loop,
    "torch.compile": partial(torch_loop, compiled=True),
    "JAX scan": jax_scan,
}


def charrnn_writes(sizes: Sizes, compiled: bool | None = None) -> Callable[[int], None]:
    """A function that samples `count` characters with charrnn, split over B texts.

    compiled: whether numba computes a single text; None as for a long one.
    """
    from charrnn.model.activations import ACTIVATIONS
    from charrnn.model.params import Params
    from charrnn.sampling.choice import chooser
    from charrnn.sampling.generation import GeneratedTexts
    from charrnn.sampling.single import compiled_single
    from charrnn.system.blas import single_threaded_blas
    from charrnn.text.vocabulary import Vocabulary

    params = Params.of(**first_weights(sizes))
    vocabulary = Vocabulary("".join(map(chr, range(48, 48 + sizes.A))))
    if compiled is None:
        compiled = has_numba() and sizes.B == 1
    single = compiled_single(1.0) if compiled else None

    def write(count: int) -> None:
        with single_threaded_blas():
            texts = GeneratedTexts(
                params,
                ACTIVATIONS["tanh"],
                vocabulary,
                "0",
                delimiter=None,
                choose=chooser(),
                random=np.random.default_rng,
                length=count // sizes.B,
                count=sizes.B,
                single=single,
            )
            for text in texts:
                "".join(text)

    return write


def torch_writes(sizes: Sizes) -> Callable[[int], None]:
    """A plain PyTorch sampling loop: one step of nn.RNN, softmax, multinomial."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(THREADS)
    rnn, out = torch.nn.RNN(sizes.A, sizes.H), torch.nn.Linear(sizes.H, sizes.A)

    @torch.no_grad()
    def write(count: int) -> None:
        h, character, text = None, torch.zeros(1, 1, dtype=torch.long), []
        for _ in range(count):
            o, h = rnn(functional.one_hot(character, sizes.A).float(), h)
            probabilities = torch.softmax(out(o[0, 0]), dim=-1)
            character = torch.multinomial(probabilities, 1).view(1, 1)
            text.append(chr(48 + character.item()))
        "".join(text)

    return write


WRITERS = {
    "charrnn": charrnn_writes,
    "charrnn by NumPy": partial(charrnn_writes, compiled=False),
    "PyTorch nn.RNN": torch_writes,
}
