"""What numba compiles gives the numbers of NumPy: gradients, updates, texts."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng

from charrnn.analysis.problems import random_problem
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.backend import NUMPY
from charrnn.model.bptt import bptt
from charrnn.model.dropout import Dropout
from charrnn.model.initialization import initial_params
from charrnn.model.rnn import Stepper
from charrnn.model.workspace import Workspace
from charrnn.optim.optimizers import make_optimizer
from charrnn.sampling.choice import NO_ID, chooser
from charrnn.sampling.generation import GeneratedTexts
from charrnn.text.vocabulary import Vocabulary
from charrnn.window import NO_TARGET, Window
from tests.conftest import TINY
from tests.runs import check_resume_and_workers

numba = pytest.importorskip("numba", reason="numba (the extra `fast`) is not installed")

from charrnn.model import loops  # noqa: E402
from charrnn.model.compiled import CompiledStepper, compiled_backend, pays  # noqa: E402
from charrnn.model.kernels import activate  # noqa: E402
from charrnn.optim.adam_kernel import adam  # noqa: E402
from charrnn.sampling.single import compiled_chooser, compiled_single  # noqa: E402

ALWAYS = compiled_backend(always=True)
NUMBA = ["--set", "training.backend=numba"]
DTYPES = (np.float32, np.float64)


def window_of(T: int, B: int, A: int, random: np.random.Generator) -> Window:
    """A window of which some losses do not count, at its start too, with lanes carried apart."""
    x, y = random.integers(0, A, (2, T, B))
    y[:2] = y[-1, -1] = NO_TARGET
    return Window(x, y, np.zeros(B, bool), carried=random.integers(0, T + 1, B), step=3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("layers", "bias", "rate", "segment"), [
    (1, True, 0.0, None), (1, False, 0.3, 4), (3, True, 0.3, 3), (2, False, 0.0, None),
])  # fmt: skip
def test_loss_gradient_and_state_are_those_of_numpy(
    dtype, activation, layers, bias, rate, segment
) -> None:
    """Equations (1) to (12) and (22) to (26), for lanes and units that fill blocks and do not."""
    random = default_rng(0)
    for B, H in [(1, 8), (1, 37), (3, 16), (4, 5), (6, 9), (9, 20)]:
        params = initial_params(random, H, 11, layers=layers, bias=bias, dtype=dtype)
        params.flat[params.layout.matrices_size :] = 0.1
        window = window_of(10, B, 11, random)
        h0 = random.standard_normal((B, layers * H)).astype(dtype) / 2
        gradient = partial(
            bptt, params, window, h0, ACTIVATIONS[activation],
            dropout=Dropout(rate, 1) if rate else None,
            segment=(lambda steps: segment) if segment else None,
        )  # fmt: skip
        (loss, ours, h), (compiled_loss, compiled, compiled_h) = (
            gradient(backend=NUMPY), gradient(backend=ALWAYS),
        )  # fmt: skip
        assert compiled.dtype == compiled_h.dtype == dtype
        eps = float(np.finfo(dtype).eps)
        assert compiled_loss == pytest.approx(loss, rel=50 * eps)
        np.testing.assert_allclose(compiled_h, h, rtol=0, atol=50 * eps * np.abs(h).max())
        for (name, one), (_, other) in zip(ours.named(), compiled.named(), strict=True):
            scale = np.abs(one).max()
            np.testing.assert_allclose(other, one, rtol=0, atol=200 * eps * scale, err_msg=name)


@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh_is_exact_to_a_few_rounding_units(dtype) -> None:
    a = np.concatenate([np.linspace(-30, 30, 20_001), 10.0 ** np.arange(-30, 2)]).astype(dtype)
    for code, name in enumerate(["tanh", "sigmoid"]):
        expected = a.astype(np.longdouble)
        ACTIVATIONS[name].apply(expected, expected)
        activate(h := a.copy(), code)
        scale = np.abs(expected) if name == "tanh" else 1
        assert (np.abs(h - expected) <= 4 * np.finfo(dtype).eps * scale).all()


def test_where_it_does_not_pay_the_bits_are_those_of_numpy() -> None:
    random, backend = default_rng(0), compiled_backend()
    for B, H in [(40, 32), (4, 200)]:
        assert not pays(H, B, np.dtype(np.float32))
        params = initial_params(random, H, 11, dtype=np.float32)
        window, h0 = window_of(12, B, 11, random), np.zeros((B, H), np.float32)
        arguments = params, window, h0, ACTIVATIONS["tanh"]
        assert np.array_equal(
            bptt(*arguments)[1].flat.copy(), bptt(*arguments, backend=backend)[1].flat
        )


@pytest.mark.parametrize("dtype", [np.complex128, np.longdouble, np.float16])
def test_other_precisions_are_computed_by_numpy(dtype) -> None:
    random = default_rng(0)
    W = random.standard_normal((6, 6)).astype(dtype)
    h = random.standard_normal((5, 2, 6)).astype(dtype)
    found = []
    for backend in (NUMPY, ALWAYS):
        out = h.copy()
        backend.prepare_forward(W, ACTIVATIONS["tanh"], 2, Workspace())(out[0], out[1:])
        backend.backward(W, out, np.ones_like(out), None, Workspace())
        found.append(out)
    assert np.array_equal(*found)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("layers", ["1", "2"])
def test_the_oracles_agree(activation, layers, charrnn, text_file) -> None:
    command = ["gradcheck", *TINY, "--text", text_file, "--json", *NUMBA]
    command += ["--set", f"model.activation={activation}", "--set", f"model.layers={layers}"]
    assert charrnn(*command, "--set", "model.dropout=0.2").code == 0


@pytest.mark.parametrize("name", ["input_term", "forward", "backward", "output", "input_gradient"])
def test_a_fault_in_what_is_compiled_is_found(name, charrnn, text_file, monkeypatch) -> None:
    sound, spoilt = getattr(loops, name), []

    def wrong(*arrays):
        result = sound(*arrays)
        target = arrays[{"output": 6, "backward": 1, "input_term": 3}.get(name, 2)]
        target[..., 1] *= 1.001
        spoilt.append(name)
        return result

    monkeypatch.setattr(loops, name, wrong)
    monkeypatch.setattr("charrnn.setup.backend.LOADER.load", lambda *arguments: True)
    command = ["gradcheck", *TINY, "--text", text_file, "--oracle", "complex-step", *NUMBA]
    assert charrnn(*command, "--set", "training.batch_size=2").code == 1
    assert spoilt


def test_resume_and_workers_change_nothing(charrnn, text_file) -> None:
    arguments = ["train", text_file, *TINY, *NUMBA, "--set", "schedule.name=constant"]
    check_resume_and_workers(charrnn, arguments, cut=7, steps=20, single=[])


def test_a_run_is_computed_by_what_was_compiled(charrnn, text_file, monkeypatch) -> None:
    calls = []
    sound = loops.backward
    monkeypatch.setattr(loops, "backward", lambda *arrays: calls.append(0) or sound(*arrays))
    run = ["train", text_file, *TINY, "--max-steps", 3, "--out"]
    assert charrnn(*run, "numpy").code == 0
    assert not calls
    assert charrnn(*run, "numba", *NUMBA).code == 0
    assert len(calls) >= 6  # of two workers


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_what_is_not_finite_is_not_hidden(number) -> None:
    random = default_rng(0)
    for dtype in DTYPES:
        for activation in ACTIVATIONS.values():
            params = initial_params(random, 8, 11, dtype=dtype)
            params.V[3, 2] = number
            arguments = params, window_of(6, 5, 11, random), np.zeros((5, 8), dtype), activation
            loss, gradient, _ = bptt(*arguments, backend=ALWAYS)
            assert not np.isfinite(loss)
            params.V[3, 2], params.W[1, 2] = 0, np.nan
            loss, gradient, h = bptt(*arguments, backend=ALWAYS)
            assert np.isnan(loss)
            assert np.isnan(gradient.W).any()
            assert np.isnan(h).any()


def test_a_divergence_is_reported(charrnn, text_file) -> None:
    run = ["train", text_file, *TINY, *NUMBA, "--out", "run", "--set", "training.clip.by=none"]
    run += ["--set", "model.activation=relu", "--set", "optimizer.learning_rate=1e30"]
    ended = charrnn(*run)
    assert ended.code == 1
    assert "training diverged" in ended.err


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_an_update_of_adam_has_the_bits_of_numpy(name, dtype) -> None:
    found = []
    numbers = {"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8}
    numbers |= {"weight_decay": 0.1} if name == "adamw" else {}
    for compiled in (None, adam):
        random, params = default_rng(0), random_problem(default_rng(0)).params.astype(dtype)
        optimizer = make_optimizer(name, averaging=0.1, compiled=compiled, **numbers)
        state = optimizer.init(params)
        for _ in range(5):
            gradient = params.map(lambda flat: random.standard_normal(flat.shape).astype(dtype))  # noqa: B023
            optimizer.update(gradient, state, params, 0.01)
        found.append([params.flat, *(slot.flat for slot in state.slots.values())])
    assert all(np.array_equal(one, other) for one, other in zip(*found, strict=True))


def test_an_update_that_overflows_is_refused() -> None:
    params = random_problem(default_rng(0)).params.astype(np.float32)
    optimizer = make_optimizer("adam", beta1=0.9, beta2=0.99, epsilon=1e-8, compiled=adam)
    with pytest.raises(FloatingPointError):
        optimizer.update(params.map(lambda flat: flat * 1e30), optimizer.init(params), params, 0.1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("layers", "bias"), [(1, True), (2, False), (3, True)])
def test_a_step_is_that_of_numpy(dtype, activation, layers, bias) -> None:
    random = default_rng(0)
    params = initial_params(random, 21, 11, layers=layers, bias=bias, dtype=dtype)
    params.flat[params.layout.matrices_size :] = 0.1
    steppers = [form(params, ACTIVATIONS[activation]) for form in
                (lambda *model: Stepper(*model, 1), CompiledStepper)]  # fmt: skip
    eps = float(np.finfo(dtype).eps)
    for character in random.integers(0, 11, (20, 1)):
        ours, compiled = (stepper(character) for stepper in steppers)
        np.testing.assert_allclose(compiled, ours, rtol=0, atol=100 * eps * np.abs(ours).max())
        assert steppers[1].h.shape == steppers[0].h.shape


@pytest.mark.parametrize("temperature", [0.0, 0.01, 0.7, 1.0, 5.0])
def test_the_choice_is_that_of_numpy(temperature) -> None:
    random = default_rng(0)
    ours, compiled = chooser(temperature), compiled_chooser(temperature)
    with np.errstate(over="ignore", invalid="ignore"):
        for o in (5 * random.standard_normal((300, 1, 40))).astype(np.float32):
            draw = random.random(1)
            assert compiled(o, draw)[0] == ours(o, draw)[0]
        for numbers in ([np.nan, 1, 2], [1, np.nan, 2], [1, 2, np.inf], [-np.inf, 1, 0], [3, 3, 3]):
            o = np.array([numbers], np.float32)
            assert compiled(o, draw)[0] == ours(o, draw)[0], numbers
        assert compiled(np.array([[np.nan, 1]]), draw)[0] == NO_ID


def test_a_long_text_is_that_of_numpy(charrnn, text_file, monkeypatch) -> None:
    assert charrnn("train", text_file, *TINY, "--max-steps", 30, "--out", "run").code == 0
    for options in ([], ["-t", "0"], ["-t", "1.7"]):
        command = ["sample", "run", "-n", 400, *options]
        with monkeypatch.context() as patch:
            patch.setattr("charrnn.setup.backend.MIN_CHARACTERS", 10**9)
            by_numpy = charrnn(*command).out
            patch.setattr("charrnn.setup.backend.MIN_CHARACTERS", 100)
            calls, sound = [], loops.step
            patch.setattr(loops, "step", lambda *a, f=sound, c=calls: c.append(0) or f(*a))
            assert charrnn(*command).out == by_numpy
        assert len(calls) >= 400


def test_the_probabilities_of_a_long_text_are_those_of_numpy() -> None:
    params = random_problem(default_rng(0), batch_size=1).params
    vocabulary = Vocabulary("abcdefgh"[: params.alphabet_size])
    found = []
    for single in (None, compiled_single(1.0)):
        texts = GeneratedTexts(
            params, ACTIVATIONS["tanh"], vocabulary, "a", delimiter=None, choose=chooser(),
            random=default_rng, length=200, count=1, scored=True, single=single,
        )  # fmt: skip
        found += texts.scored_texts()
    assert found[0][0] == found[1][0]
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-10)


LOAD = """
import sys, numpy as np
from charrnn.setup.compiling import LOADER, folder_of_compiled
from charrnn.setup.compiled_checks import check_sampling
notes = []
assert LOADER.load(check_sampling, np.dtype(np.float32), notes.append), notes
print(len(list(folder_of_compiled().glob("*/*.nbc"))))
"""


def loading(cache: Path | str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", LOAD], env=os.environ | {"CHARRNN_CACHE": str(cache)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_what_is_compiled_is_kept_by_one_process_at_a_time(tmp_path) -> None:
    both = [loading(tmp_path) for _ in range(2)]
    assert [process.communicate() for process in both] == [("2\n", "")] * 2
    for file in tmp_path.glob("numba/*/*/*.nbc"):
        file.write_bytes(file.read_bytes()[:100])
    assert loading(tmp_path).communicate() == ("0\n", "")  # damaged: removed, compiled again


def test_a_cache_that_cannot_be_written_is_not_needed(tmp_path) -> None:
    (tmp_path / "file").touch()
    assert loading(tmp_path / "file").communicate() == ("0\n", "")


def test_numba_is_not_imported_without_need(tmp_path, text_file) -> None:
    code = (
        "import sys; from charrnn.cli.main import run\n"
        f"assert run(['train', {str(text_file)!r}, '--max-steps', '1', '--out', 'run']) == 0\n"
        "assert run(['sample', 'run', '-n', '5']) == 0\n"
        "assert 'numba' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
