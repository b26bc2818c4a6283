"""Laws of the rule that chooses settings: it is a function of text, budget and what is given."""

from itertools import pairwise
from math import log

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from charrnn.config.comments import default_values
from charrnn.config.dotted import nested
from charrnn.config.layers import changed, check_config, load_config, value_of
from charrnn.config.plan_table import PlanTable, plan_table
from charrnn.model.params import Layout, shapes
from charrnn.setup.plan_grid import INTERPOLATED, Grid, hidden_size_of, weights_of
from charrnn.setup.plan_rule import choose
from charrnn.setup.planning import planned
from tests.runs import plan_task

TABLE = plan_table()
LENGTHS = st.floats(log(200), log(1e9)).map(lambda x: round(np.exp(x)))
BUDGETS = st.floats(log(1e9), log(1e16)).map(lambda x: float(np.exp(x)))
GIVEN = {
    "model.hidden_size": st.integers(1, 2000),
    "model.layers": st.integers(1, 8),
    "model.dropout": st.sampled_from([0.0, 0.1, 0.6]),
    "training.batch_size": st.integers(1, 300),
    "optimizer.learning_rate": st.sampled_from([1e-4, 0.1]),
    "optimizer.name": st.sampled_from(["adamw", "muon", "sgd", "adam"]),
    "training.max_steps": st.integers(0, 10**6),
    "training.epochs": st.floats(0.01, 500),
    "training.max_time": st.floats(0.1, 1e5),
    "schedule.name": st.sampled_from(["cosine", "constant"]),
    "schedule.warmup": st.floats(0, 0.5),
}

SOME = st.fixed_dictionaries({}, optional=GIVEN)


@given(SOME, LENGTHS)
def test_what_is_given_stays_and_the_rest_is_valid(given_values, characters) -> None:
    plan = choose(TABLE, plan_task(characters, **given_values), 1e10)
    assert not plan.settings.keys() & given_values.keys()
    base = changed(check_config(default_values()), nested(given_values))
    config = planned(base, given_values, plan)
    for key, value in given_values.items():
        section, name = key.split(".")
        assert getattr(getattr(config, section), name) == value
    name = given_values.get("optimizer.name", plan.settings.get("optimizer.name"))
    assert config.optimizer.name == name
    assert bool(config.training.averaging) == ("training.averaging" in plan.settings)
    if any(key.startswith("schedule.") for key in given_values):
        assert not any(key.startswith("schedule.") for key in plan.settings)
    if name in ("sgd", "adam"):
        assert not {"optimizer.weight_decay", "training.averaging"} & plan.settings.keys()


def test_another_optimizer_gets_what_is_given_to_it() -> None:
    """By itself, it would begin with its own default values."""
    values = {"optimizer.learning_rate": 1e-4, "optimizer.beta1": 0.8}
    plan = choose(TABLE, plan_task(1_000_000, **values))
    base = changed(check_config(default_values()), nested(values))
    optimizer = planned(base, values, plan).optimizer
    assert (optimizer.name, base.optimizer.name) == ("muon", "adamw")
    assert (optimizer.learning_rate, optimizer.beta1) == (1e-4, 0.8)


@given(SOME, LENGTHS, st.floats(1e6, 1e12))
def test_speed_and_time_matter_by_their_product_only(given_values, characters, rate) -> None:
    """Twice as fast for half the time: the same settings."""
    assume(given_values.get("training.max_time"))
    half = given_values | {"training.max_time": given_values["training.max_time"] / 2}
    one = choose(TABLE, plan_task(characters, **given_values), rate)
    other = choose(TABLE, plan_task(characters, **half), 2 * rate)
    assert one.settings == other.settings
    assert one.passes == other.passes
    assert one.seconds == pytest.approx(2 * other.seconds)


@given(LENGTHS, BUDGETS, st.sampled_from([{}, {"model.layers": 3}, {"model.hidden_size": 100}]))
def test_twice_the_time_trains_on_no_fewer_characters(characters, work, given_values) -> None:
    less, more = (
        choose(TABLE, plan_task(characters, **given_values | {"training.max_time": seconds}), work)
        for seconds in (1.0, 2.0)
    )
    assert more.passes >= less.passes
    assert more.weights >= less.weights or "model.layers" not in more.settings


@given(LENGTHS, BUDGETS, st.floats(1, 2))
def test_any_more_time_trains_on_no_fewer_characters_but_for_rounded_sizes(
    characters, work, factor
) -> None:
    """A size is a multiple of 16 from 128 on, of 8 below."""
    less, more = (
        choose(TABLE, plan_task(characters, **{"training.max_time": seconds}), work)
        for seconds in (1.0, factor)
    )
    size = more.settings["model.hidden_size"]
    unit = 16 if size >= 128 else 8
    assert more.passes >= less.passes * (1 - min(4 * unit / size, 0.9))


@given(LENGTHS, st.integers(1, 10**6), st.integers(1, 10**6))
def test_more_steps_never_mean_a_smaller_network(characters, steps, more) -> None:
    one, other = (
        choose(TABLE, plan_task(characters, **{"training.max_steps": count}))
        for count in (steps, steps + more)
    )
    assert other.weights >= 0.95 * one.weights  # a second layer changes what rounding does


@given(LENGTHS)
def test_without_a_limit_a_text_is_seen_about_once_at_least(characters) -> None:
    plan = choose(TABLE, plan_task(characters))
    assert plan.settings["training.max_steps"] is None
    assert plan.settings["training.epochs"] == plan.passes >= 1
    assert plan.passes < 100
    usual = max(row.usual_work for row in TABLE.texts)
    assert plan.passes == 1 or plan.passes * characters * plan.weights < 1.1 * usual


@given(st.integers(1, 16), st.integers(1, 3000), st.integers(2, 3000))
def test_sizes_and_weights_are_inverse(layers, hidden_size, alphabet_size) -> None:
    weights = weights_of(layers, hidden_size, alphabet_size)
    layout = Layout(shapes(hidden_size, alphabet_size, bias=True, depth=layers))
    assert weights == layout.size
    assert hidden_size_of(weights, layers, alphabet_size) == pytest.approx(hidden_size)


def test_at_the_points_of_the_table_its_values_are_taken() -> None:
    for row in TABLE.texts:
        for column, work in enumerate(TABLE.work):
            found = Grid(TABLE)(row.characters, work)
            assert found.optimizer == row.optimizer
            for name in INTERPOLATED:
                expected = getattr(row, name)[column]
                assert getattr(found, name) == pytest.approx(expected), name


def test_the_optimizer_is_that_of_the_nearest_row() -> None:
    for row, after in pairwise(TABLE.texts):
        for nearer, share in ((row, 0.49), (after, 0.51)):
            characters = row.characters ** (1 - share) * after.characters**share
            for work in TABLE.work:
                assert Grid(TABLE)(characters, work).optimizer == nearer.optimizer


def test_weights_begin_as_the_layers_need() -> None:
    """With the usual activation, unless the weights are trained or that is given too."""
    key = "model.initialization.recurrent"
    for characters, begin, gain in ((1_000_000, "identity", 0.9), (20_000, "orthogonal", 1.0)):
        settings = choose(TABLE, plan_task(characters)).settings
        assert settings["model.activation"] == "relu"
        assert (settings[key], settings[f"{key}_gain"]) == (begin, gain)
    given = choose(TABLE, plan_task(20_000, **{"model.activation": "relu"})).settings
    assert given[key] == "orthogonal"
    assert "model.activation" not in given
    deep = choose(TABLE, plan_task(20_000, **{"model.layers": 3})).settings
    assert deep[key] == "identity"
    own, tanh = {"model.initialization.input": "glorot"}, {"model.activation": "tanh"}
    trained = plan_task(1_000_000)._replace(trained=True)
    for task in (plan_task(1_000_000, **own), plan_task(1_000_000, **tanh), trained):
        assert key not in choose(TABLE, task).settings
    assert "model.activation" not in choose(TABLE, trained).settings  # it has one


def test_a_given_batch_gets_no_rate_that_is_too_high() -> None:
    for characters in (5_000, 20_000, 10**6):
        plan = choose(TABLE, plan_task(characters, **{"training.batch_size": 64}))
        assert plan.settings["optimizer.learning_rate"] <= 0.03


def test_a_short_time_is_enough_for_a_short_text() -> None:
    """A second does less work with two lanes."""
    minute = choose(TABLE, plan_task(20_000, **{"training.max_time": 60.0}), 3e9)
    assert (minute.doubts, minute.ends) == ((), "passes")
    second = choose(TABLE, plan_task(20_000, **{"training.max_time": 1.0}), 3e9)
    assert "budget is shorter" in second.doubts[0]


def test_without_a_measurement_few_lanes_and_muon_take_longer() -> None:
    usual = {"training.epochs": 1.0, "training.batch_size": 64}
    changes = ({}, {"training.batch_size": 2}, {"optimizer.name": "adamw"})
    plans = [choose(TABLE, plan_task(10**6, **usual | change)) for change in changes]
    assert len({plan.weights for plan in plans}) == 1
    many, few, adamw = (plan.seconds for plan in plans)
    assert adamw < many < few / 2


def test_a_run_that_diverges_goes_on() -> None:
    key = "training.on_divergence"
    assert choose(TABLE, plan_task(10**6)).settings[key] == "rollback"
    assert key not in choose(TABLE, plan_task(10**6, **{key: "stop"})).settings


def test_the_rate_is_constant_with_the_activation_of_the_table_only() -> None:
    assert choose(TABLE, plan_task(10**6)).settings["schedule.name"] == "constant"
    for activation in ("relu", "tanh"):
        task = plan_task(10**6, **{"model.activation": activation})
        constant = "schedule.name" in choose(TABLE, task).settings
        assert constant == (activation == "relu")


def test_the_table_gives_more_budget_no_smaller_network_and_no_fewer_passes() -> None:
    """Weights grow slower than the work, so that the characters grow, too."""
    for row in TABLE.texts:
        weights, passes = np.array(row.weights), np.array(row.passes)
        assert (np.diff(weights) >= 0).all()
        assert (np.diff(weights / np.array(TABLE.work)) < 0).all()
        most = passes / weights ** -TABLE.powers.passes["weights"]
        assert (np.diff(passes) >= 0).all(), most


@pytest.mark.parametrize(
    "fault",
    [
        {"work": [2.0, 1.0]},
        {"work": [1.0]},
        {"texts": []},
        {"texts": [row.model_dump() for row in reversed(TABLE.texts)]},
        {"surprise": 1},
    ],
)
def test_another_table_is_validated(fault) -> None:
    with pytest.raises(ValueError, match="validation error"):
        PlanTable.model_validate(TABLE.model_dump() | fault)


@pytest.mark.parametrize(
    ("values", "doubt"),
    [
        ({}, None),
        ({"training.max_time": 60.0}, None),
        ({"training.max_time": 1.0}, "budget is shorter"),
        ({"training.max_time": 1e5}, "budget is longer"),
        ({"model.hidden_size": 8}, "network is much smaller"),
        ({"model.hidden_size": 4000}, "network is much larger"),
        ({"training.batch_size": 500}, "batch is much larger"),
        ({"model.activation": "tanh"}, "tried with `model.activation=tanh`"),
        ({"model.activation": "relu"}, None),
        ({"data.sequences": "lines"}, "tried with `data.sequences=lines`"),
        ({"optimizer.name": "adamw"}, "tried with `optimizer.name=adamw`"),
        ({"optimizer.name": "muon"}, None),
    ],
)
def test_doubts(values, doubt) -> None:
    plan = choose(TABLE, plan_task(1_000_000, **values), 2.2e10)
    assert bool(plan.doubts) == bool(doubt)
    assert doubt is None or doubt in "".join(plan.doubts)


@pytest.mark.parametrize(("characters", "unsure"), [(900, True), (10**8, True), (10**5, False)])
def test_texts_of_other_lengths_are_doubtful(characters, unsure) -> None:
    plan = choose(TABLE, plan_task(characters))
    assert unsure == any("characters" in doubt for doubt in plan.doubts)


def test_the_bundled_corpus_takes_as_long_as_with_the_default_config() -> None:
    plan = choose(TABLE, plan_task(130_632, alphabet_size=72))
    default = weights_of(1, 384, 72) * 3000 * 16 * 64
    assert plan.weights * plan.passes * 130_632 == pytest.approx(default, rel=0.1)
    assert plan.ends == "usual"


def test_three_minutes_of_a_megabyte_get_the_network_of_the_recipe() -> None:
    plan = choose(TABLE, plan_task(1_003_855, **{"training.max_time": 180.0}), 95_000 * 231_000)
    recipe = load_config("relu-3m", [], {})
    limits = {"training.max_steps", "training.epochs"}
    for key in plan.settings.keys() - limits - {"training.averaging"}:
        expected = value_of(recipe, key)
        size = isinstance(expected, int)
        assert plan.settings[key] == (pytest.approx(expected, rel=0.15) if size else expected), key
    assert plan.ends == "time"


def test_a_long_time_for_a_short_text_ends_before_it() -> None:
    plan = choose(TABLE, plan_task(18_000, **{"training.max_time": 600.0}), 2e10)
    assert plan.ends == "passes"
    assert plan.seconds < 120
    assert "more passes seldom help with such a text" in "".join(plan.lines())


@pytest.mark.parametrize("larger", ["model.hidden_size", "model.layers", "training.batch_size"])
def test_the_rate_follows_what_is_given(larger) -> None:
    values = {"model.hidden_size": 256, "model.layers": 2, "training.batch_size": 16}
    budget = {"training.max_time": 180.0}
    rates = [
        choose(
            TABLE, plan_task(10**6, **budget | values | {larger: factor * values[larger]}), 2e10
        ).settings["optimizer.learning_rate"]
        for factor in (1, 2)
    ]
    assert (rates[1] > rates[0]) == (larger == "training.batch_size")


def test_trained_weights_get_a_lower_rate() -> None:
    task = plan_task(10**6)
    fresh, trained = (choose(TABLE, task._replace(trained=flag)) for flag in (False, True))
    key = "optimizer.learning_rate"
    assert trained.settings[key] < 0.5 * fresh.settings[key]


@pytest.mark.parametrize(
    ("epochs", "words"),
    [
        (0.0004, "0.04 % of the text"),
        (0.26, "26 % of the text"),
        (0.999, "100 % of the text"),
        (1.0, "1 pass over"),
        (1.04, "1 pass over"),
        (2.5, "2.5 passes over"),
        (123.0, "123 passes over"),
    ],
)
def test_passes_in_words(epochs, words) -> None:
    plan = choose(TABLE, plan_task(10**6, **{"training.epochs": epochs}))
    assert words in "".join(plan.lines())


def test_lines_say_what_and_why() -> None:
    plan = choose(TABLE, plan_task(1_003_855, **{"training.max_time": 180.0}), 95_000 * 231_000)
    first, second = plan.lines()
    assert "1,003,855 characters to train on and 3 minutes at" in first
    assert "2 layers of 384 relu units, batch size" in first
    assert "optimizer muon, learning rate 0.005, weight decay" in first
    assert "averaging 0.2, constant rate." in first
    assert "passes over the text" in second
    assert "`model.hidden_size=384`; fixed values: `config=default`" in second
    short = next(choose(TABLE, plan_task(20_000)).lines())
    assert "averaging 0.2, constant rate." in short
    given_all = dict.fromkeys(plan.settings)
    everything = choose(
        TABLE,
        plan_task(
            10**6,
            **given_all
            | {
                "model.layers": 1,
                "model.hidden_size": 10,
                "training.batch_size": 8,
            },
        ),
    )
    assert next(everything.lines()).startswith("all settings")
    assert "config=default" not in "".join(everything.lines())


def test_the_example_of_a_setting_is_not_one_that_is_given() -> None:
    plan = choose(TABLE, plan_task(10**6, **{"model.hidden_size": 64}))
    rate = plan.settings["optimizer.learning_rate"]
    assert f"`optimizer.learning_rate={rate:g}`" in "".join(plan.lines())
    assert "hidden_size=" not in "".join(plan.lines())


@pytest.mark.parametrize("values", [{}, {"training.batch_size": 1}])
def test_a_small_batch_is_doubtful_if_it_is_given(values) -> None:
    task = plan_task(10**5, **values)._replace(max_batch_size=1)
    assert bool(values) == any("batch" in doubt for doubt in choose(TABLE, task).doubts)
