"""gradcheck checks the gradient that training computes, and finds faults in each part of it."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from charrnn.analysis.directions import DIRECTIONAL, check_directions
from charrnn.analysis.entries import choose_entries
from charrnn.analysis.gradcheck import ORACLES, gradcheck
from charrnn.analysis.problems import Problem, random_problem
from charrnn.analysis.rounding import rounding
from charrnn.config.layers import load_config
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.bptt import bptt, window_loss
from charrnn.model.dropout import Dropout
from charrnn.model.params import Params
from charrnn.model.workspace import Workspace
from charrnn.optim.clipping import Clipped
from charrnn.runs.start import new_run
from charrnn.setup.subject import subject_of
from charrnn.setup.training_window import training_window, windows_of
from charrnn.setup.wiring import objective_maker, trainer_of
from charrnn.training.parallel import parallel
from charrnn.training.workers import Workers, worker_threads
from charrnn.window import Window
from tests.conftest import RHYME, TINY, TINY_SETTINGS

SIZES = st.integers(1, 6)
TANH = ACTIVATIONS["tanh"]


def along(problem: Problem, objective, name="tanh", seed=0, **options):
    return check_directions(
        problem, objective, ACTIVATIONS[name], "mean", DIRECTIONAL, default_rng(seed), **options
    )


@given(
    seed=st.integers(0, 10_000), sizes=st.tuples(SIZES, SIZES, SIZES, SIZES),
    name=st.sampled_from(list(ACTIVATIONS)), bias=st.booleans(), layers=st.integers(1, 3),
)  # fmt: skip
def test_the_derivative_along_a_direction_is_the_inner_product(
    seed, sizes, name, bias, layers
) -> None:
    problem = random_problem(default_rng(seed), *sizes, bias=bias, layers=layers)
    entries = along(problem, partial(bptt, activation=ACTIVATIONS[name]), name)
    assert len(entries) == 2 * (2 + 2 * layers + bias * (1 + layers))
    assert all(entry.along_direction for entry in entries)
    assert not [entry for entry in entries if entry.verdict == "failed"]


@given(seed=st.integers(0, 10_000), layers=st.integers(1, 2))
def test_one_wrong_entry_is_found_along_a_direction(seed, layers) -> None:
    """Whichever it is, unless its derivative is itself no more than rounding."""
    random = default_rng(seed)
    problem = random_problem(random, 20, 9, 6, 3, layers=layers)
    gradient = bptt(*problem[:3], TANH)[1]
    weight = int(random.choice(np.flatnonzero(np.abs(gradient.flat) > 1e-7)))

    def wrong(*given):
        loss, found, h = bptt(*given, TANH)
        found.flat[weight] *= 1.01
        return loss, found, h

    slices = problem.params.layout.slices
    own = next(name for name, part in slices.items() if part.start <= weight < part.stop)
    failed = {
        entry.parameter
        for entry in along(problem, wrong, seed=seed)
        if entry.verdict == "failed" and entry.oracle == "complex-step"
    }
    assert failed == {"all", own}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_entry_that_is_not_finite_fails_along_a_direction(value) -> None:
    problem = random_problem(default_rng(0))

    def wrong(*given):
        loss, found, h = bptt(*given, TANH)
        found.V[1, 2] = value
        return loss, found, h

    verdicts = {(entry.parameter, entry.verdict) for entry in along(problem, wrong)}
    assert {("all", "failed"), ("V", "failed"), ("W", "passed")} <= verdicts


def test_a_kink_along_a_direction_is_undecidable() -> None:
    params = Params.of(U=np.full((1, 2), 1e-7), W=np.zeros((1, 1)), V=np.array([[1.0], [-1.0]]))
    window = Window(np.array([[0]]), np.array([[1]]), np.array([True]))
    problem = Problem(params, window, np.zeros((1, 1)))
    entries = along(problem, partial(bptt, activation=ACTIVATIONS["relu"]), "relu")
    verdicts = {(e.oracle, e.parameter): e.verdict for e in entries}
    assert verdicts["central-difference", "U"] == "undecidable"
    assert verdicts["complex-step", "U"] == "passed"
    assert "failed" not in verdicts.values()


def test_a_derivative_lost_to_cancellation_is_undecidable() -> None:
    problem = random_problem(default_rng(1), time_steps=2, batch_size=2)
    params = problem.params.replace(c=np.array([30.0, *np.zeros(6)]))
    window = problem.window._replace(y=np.zeros_like(problem.window.y))
    entries = along(problem._replace(params=params, window=window), partial(bptt, activation=TANH))
    assert "failed" not in {entry.verdict for entry in entries}
    assert "undecidable" in {entry.verdict for entry in entries if entry.parameter == "W"}


def test_a_chaotic_network_does_not_fail_but_a_wrong_gradient_of_it_does() -> None:
    """Its states drift apart from the last digit on, and differences are no derivatives."""
    problem = random_problem(default_rng(2), 24, 7, 80, 3)
    params = problem.params.replace(W=3 * problem.params.W)
    problem = problem._replace(params=params)

    def verdicts(objective) -> set[tuple[str, str]]:
        oracles = list(ORACLES.values())
        entries = gradcheck(problem, objective, TANH, "mean", oracles, default_rng(0), None, 20)
        return {(e.oracle, e.verdict) for e in [*entries, *along(problem, objective)]}

    correct = verdicts(partial(bptt, activation=TANH))
    assert "failed" not in {verdict for _, verdict in correct}
    assert ("central-difference", "undecidable") in correct
    assert ("complex-step", "undecidable") in correct
    assert ("rtrl", "undecidable") not in correct

    def wrong(*given):
        loss, found, h = bptt(*given, TANH)
        found.W[...] *= 1.01
        return loss, found, h

    assert {("rtrl", "failed"), ("double-sum", "failed")} <= verdicts(wrong)


def test_a_wrong_gradient_fails_where_the_step_of_a_difference_is_too_long() -> None:
    """The error of the step is told from that of the gradient, in a network on the way to chaos."""
    problem = random_problem(default_rng(2), 24, 7, 25, 3)
    problem = problem._replace(params=problem.params.replace(W=2.5 * problem.params.W))
    for factor, expected in ((1, "undecidable"), (1.01, "failed")):

        def objective(*given, factor=factor):
            loss, found, h = bptt(*given, TANH)
            found.W[...] *= factor
            return loss, found, h

        found = {(e.oracle, e.parameter): e.verdict for e in along(problem, objective)}
        assert found["central-difference", "W"] == expected
        assert found["complex-step", "W"] == ("failed" if factor > 1 else "passed")


def test_the_largest_the_smallest_and_random_entries_are_chosen() -> None:
    problem = random_problem(default_rng(3), 20, 30, 3, 2)
    gradient = bptt(*problem[:3], TANH)[1]
    chosen = choose_entries(gradient, problem.window, 30, default_rng(0))
    assert {name: len(indices) for name, indices in chosen.items()} == {
        "U": 30, "W": 30, "V": 30, "b": 20, "c": 30,
    }  # fmt: skip
    for name, array in gradient.named():
        assert len({*chosen[name].tolist()}) == len(chosen[name])
        assert np.abs(array).argmax() in chosen[name]
    smallest = np.abs(gradient.W.reshape(-1)).argmin()
    assert smallest in chosen["W"]
    columns = chosen["U"] % 30
    assert np.count_nonzero(~np.isin(columns, problem.window.x)) == 2
    assert np.count_nonzero(gradient.U.reshape(-1)[chosen["U"]] == 0) == 2
    assert np.isin(chosen["V"] // 20, problem.window.y).all()


def test_few_lanes_tell_the_rounding_of_all(monkeypatch) -> None:
    problem = random_problem(default_rng(0), 12, 7, 10, 32)
    whole = rounding(problem, TANH, "mean")
    monkeypatch.setattr("charrnn.analysis.rounding.MAX_STEPS", 80)
    part = rounding(problem, TANH, "mean")
    for name, value in whole.items():
        assert value / 2 < part[name] < 2 * value


SETTINGS = [
    [],
    ["training.stride=3"],
    ["training.memory=recompute", "training.reduction=sum"],
    ["model.layers=2", "model.dropout=0.2", "training.stride=5"],
    ["data.sequences=lines", "model.dropout=0.2", "training.batch_size=5"],
    ["data.sequences=documents", "training.stride=3"],
    ["training.bptt=full", "training.memory=recompute"],
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_gradient_that_is_checked_is_that_of_the_training_step(
    settings, tmp_path, monkeypatch
) -> None:
    """The same window, state, mask and weights; the trainer's weights are kept as they are."""
    paths = [tmp_path / f"{n}.txt" for n in range(3)]
    for n, path in enumerate(paths):
        path.write_text(RHYME[: 100 + 80 * n])
    monkeypatch.setattr("charrnn.setup.training_window.CONTEXT", 10**6)
    given = [*TINY_SETTINGS, "training.precision=float64", *settings]
    config = load_config(None, given, {"data": {"text": [str(path) for path in paths]}})
    config = config.model_copy(
        update={"data": config.data.model_copy(update={"validation_fraction": 0.0})}
    )
    run = new_run(config, str(tmp_path / "run"))
    run.directory.release()
    with worker_threads(2) as workers:
        subject = subject_of(None, None, given, None, print)._replace(
            params=run.state.params, config=config, ids=run.corpus.training
        )
        objective = parallel(objective_maker(config), workers)
        problem, number = training_window(subject, windows_of(subject), default_rng(1), objective)
        loss, gradient, _ = objective(*problem[:3])
        checked = gradient.flat.copy()
        assert loss == pytest.approx(
            window_loss(*problem[:3], TANH, config.training.reduction, problem.mask), rel=1e-12
        )
        gradients = []

        def keep(gradient: Params) -> Clipped:
            gradients.append(gradient.flat.copy())
            return Clipped(1.0, {}, False)

        trainer = replace(
            trainer_of(run.config, run.batches, run.scored, workers),
            clip=keep,
            update=lambda *_: None,
        )
        list(trainer.run(run.state, lambda: len(gradients) > number))
    assert number > 0 or run.batches.per_epoch == 1
    np.testing.assert_allclose(gradients[number], checked, rtol=1e-10, atol=1e-14)


def sum_of_all_but_the_last(rows, ones, out) -> None:
    last = len(rows) - 1 if 1 < len(rows) < 20 else len(rows)
    np.dot(ones[:last], rows[:last], out=out)


def spoiled_products(product_with):
    def spoiled(matrix, rows, workspace, name):
        product = product_with(matrix, rows, workspace, name)
        workspace.array(name, (-(-matrix.shape[1] // 16), matrix.shape[0], 16), matrix.dtype)[
            0, :, 3
        ] = 0
        return product

    return spoiled


def without_segments(copy):
    return lambda self, name, source: copy(self, name, source * (name != "da_next"))


def mask_of_the_next_step(mask):
    def wrong(self, *arguments, step=0, workspace=None, **options):
        step += workspace is not None  # in the objective, not in the problem
        return mask(self, *arguments, step=step, workspace=workspace, **options)

    return wrong


def one_wrong_entry(bptt):
    def wrong(*arguments, **options):
        loss, gradient, h = bptt(*arguments, **options)
        gradient.layers[0].W[3, 5] *= 1.01
        return loss, gradient, h

    return wrong


BPTT, SUMS = "charrnn.model.bptt", "charrnn.model.sums"
FAULTS = {
    "a column of a tile is lost": (
        "charrnn.model.recurrence.product_with", spoiled_products, []),
    "dU lacks the last row of each character": (
        f"{SUMS}.sum_rows", lambda _: sum_of_all_but_the_last, ["training.workers=1"]),
    "the gradient of a thread is lost": (
        Workers, lambda _: lambda *_: [], ["training.workers=2"]),
    "the losses of the warm-up count": (
        f"{BPTT}._backward",
        lambda f: lambda params, x, y, *more: f(params, x, np.maximum(y, 0), *more),
        ["training.stride=3"]),
    "the first loss is late": (
        f"{BPTT}.first_loss", lambda first: lambda y: first(y) + 1, ["training.stride=3"]),
    "a segment ends without its future": (
        Workspace, without_segments, ["training.memory=recompute"]),
    "the mask of another step": (
        Dropout, mask_of_the_next_step, ["model.dropout=0.3"]),
    "a single wrong entry": (
        "charrnn.setup.wiring.bptt", one_wrong_entry, ["training.workers=1"]),
}  # fmt: skip
METHODS = {Workers: "for_each_slice", Workspace: "copy", Dropout: "mask"}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("layers", [1, 2])
def test_a_fault_in_what_training_runs_is_found(
    fault, layers, charrnn, text_file, monkeypatch
) -> None:
    """By the derivatives along random directions alone, of the code for large sizes."""
    monkeypatch.setattr("charrnn.model.products.MAX_UNPACKED_PRODUCT", 500)
    monkeypatch.setattr(f"{SUMS}.MAX_ONE_HOT_PRODUCT", 0)
    target, spoil, settings = FAULTS[fault]
    given = [*TINY_SETTINGS, "model.hidden_size=32", f"model.layers={layers}", *settings]
    options = [part for setting in given for part in ("--set", setting)]
    command = ["gradcheck", *options, "--text", text_file, "--oracle", "complex-step"]
    command += ["--entries", 1, "--json"]
    sound = charrnn(*command)
    assert sound.code == 0, sound.out + sound.err
    if isinstance(target, str):
        module, _, name = target.rpartition(".")
        original = getattr(__import__(module, fromlist=[name]), name)
        monkeypatch.setattr(target, spoil(original))
    else:
        name = METHODS[target]
        monkeypatch.setattr(target, name, spoil(getattr(target, name)))
    found = charrnn(*command)
    assert found.code == 1, found.out + found.err
    failed = [
        entry
        for entry in json.loads(found.out)["entries"]
        if entry["verdict"] == "failed" and entry["along_direction"]
    ]
    assert "all" in {entry["parameter"] for entry in failed}


def test_what_was_checked_is_told(charrnn, text_file) -> None:
    settings = ["training.stride=3", "training.memory=recompute", "model.dropout=0.2"]
    options = [*TINY, *(part for setting in settings for part in ("--set", setting))]
    command = ["gradcheck", *options, "--text", text_file, "--oracle", "rtrl", "--entries", 9]
    checked = json.loads(charrnn(*command, "--json").out)["checked"]
    assert (checked["time_steps"], checked["batch_size"]) == (8, 4)
    assert (checked["stride"], checked["warm_up"], checked["workers"]) == (3, 5, 2)
    assert (checked["memory"], checked["dropout"]) == ("recompute", 0.2)
    assert 0 < checked["window"] < checked["windows_per_epoch"]
    shown = charrnn(*command).out
    assert (
        f"training window {checked['window']:,} of {checked['windows_per_epoch']:,}, 2 workers, "
        "stride 3 after 5 steps without loss, states recomputed, dropout 0.2 with a fixed mask"
    ) in shown
    assert "9 of 256" in shown
    other = json.loads(charrnn(*command, "--seed", 2, "--json").out)["checked"]
    assert other["window"] != checked["window"]
    fast = json.loads(charrnn(*command, "--fast", "--json").out)["checked"]
    assert (fast["time_steps"], fast["batch_size"]) == (12, 2)
    assert (fast["window"], fast["workers"]) == (None, 1)


def test_a_text_shorter_than_a_window_can_be_checked_in_short_passages(charrnn, tmp_path) -> None:
    (tmp_path / "short").write_text(RHYME[:60])
    refused = charrnn("gradcheck", "-c", "tiny", "--text", "short")
    assert refused.code == 3
    assert "or check a short window: --fast" in refused.err
    assert charrnn("gradcheck", "-c", "tiny", "--text", "short", "--fast").code == 0


def test_what_would_take_long_is_done_in_part_and_said(charrnn, text_file, monkeypatch) -> None:
    command = ["gradcheck", *TINY, "--text", text_file]
    monkeypatch.setattr("charrnn.commands.check_plan._loss_seconds", lambda *_: 0.2)
    outcome = charrnn(*command)
    assert outcome.code == 0
    assert "note: checking tanh, H = 16 at T = 8, B = 4: about " in outcome.err
    document = json.loads(charrnn(*command, "--json").out)
    compared = {
        entry["oracle"]: entry["compared"]
        for entry in document["entries"]
        if entry["parameter"] == "W" and not entry["along_direction"]
    }
    assert compared["complex-step"] < compared["central-difference"] < 200
    assert compared["double-sum"] == 256
    monkeypatch.setattr("charrnn.commands.check_plan._loss_seconds", lambda *_: 1e4)
    document = json.loads(charrnn(*command, "--json").out)
    assert document["passed"]  # along random directions
    assert document["not_run"].keys() == {*compared}
    assert "rtrl was not run: it would take about " in charrnn(*command).out
    alone = charrnn(*command, "--oracle", "rtrl")
    assert alone.code == 1
    assert "nothing was compared" in alone.out
    asked = charrnn(*command, "--oracle", "rtrl", "--entries", 4)
    assert asked.code == 0
    assert "4 of 256" in asked.out


def test_every_entry_can_be_compared(charrnn, text_file) -> None:
    command = ["gradcheck", *TINY, "--text", text_file, "--oracle", "rtrl", "--entries"]
    assert "256 of 256" in charrnn(*command, "all").out
    for wrong in ("0", "-1", "few"):
        refused = charrnn(*command, wrong)
        assert refused.code == 2
        assert "is neither a positive number nor all" in refused.err


def test_a_wrong_gradient_that_nearly_vanishes_is_no_matter_of_the_step() -> None:
    """Differences of rounding alone change with the step, and still tell a large error."""
    problem = random_problem(default_rng(4))
    small = problem.params.replace(V=problem.params.V * 1e-18)
    problem = problem._replace(params=small)

    def wrong(*given):
        loss, found, h = bptt(*given, TANH)
        found.W[1, 2] = 1e-3
        return loss, found, h

    chosen = [ORACLES["central-difference"]]
    entries = gradcheck(problem, wrong, TANH, "mean", chosen, default_rng(0))
    assert {e.verdict for e in [*entries, *along(problem, wrong)] if e.parameter == "W"} == {
        "failed"
    }
