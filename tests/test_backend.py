"""What computes a run is chosen by its length and size, and recorded; without numba it is NumPy."""

import sys

import pytest

from charrnn.config.layers import load_config
from charrnn.model.backend import NUMPY
from charrnn.setup import backend, compiling
from charrnn.setup.compiling import NOT_USED
from charrnn.setup.wiring import resolve
from tests.conftest import TINY

ONE_LANE = ["training.batch_size=1", "model.hidden_size=100", "training.window=25"]
LONG = ["training.max_steps=20000"]


def chosen(*settings: str, steps: int | None = 20_000, T: int = 25) -> str:
    config = resolve(load_config(None, [*ONE_LANE, *settings], {}))
    largest = T, config.training.batch_size
    return backend.with_backend(config, steps, largest)[0].training.backend


def notes(*settings: str) -> tuple[str, ...]:
    config = resolve(load_config(None, [*ONE_LANE, *settings], {}))
    return backend.with_backend(config, 20_000, (25, 1))[1]


@pytest.fixture
def with_numba(monkeypatch) -> None:
    monkeypatch.setattr(backend, "why_not_numba", lambda: None)


@pytest.fixture
def without_numba(monkeypatch) -> None:
    monkeypatch.setattr(backend, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "numba", None)


@pytest.mark.usefixtures("with_numba")
def test_numba_computes_long_runs_of_few_lanes() -> None:
    assert chosen() == "numba"
    assert chosen("model.layers=4", steps=5000) == "numba"
    assert chosen(T=2000, steps=300) == "numba"
    assert chosen("training.batch_size=4", "training.workers=1") == "numba"
    assert chosen("training.batch_size=8", "training.workers=2") == "numba"
    assert chosen("training.max_time=10m", steps=None) == "numba"


@pytest.mark.usefixtures("with_numba")
@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ([], 5000),
        (["training.max_time=5s"], 20_000),
        (["training.batch_size=8", "training.workers=1"], 20_000),
        (["training.batch_size=2", "model.hidden_size=200", "training.workers=1"], 20_000),
        (["model.hidden_size=600"], 20_000),
        (["training.backend=numpy"], 20_000),
    ],
)
def test_numpy_computes_all_others(settings, steps) -> None:
    assert chosen(*settings, steps=steps) == "numpy"


def test_the_environment_can_turn_it_off(monkeypatch) -> None:
    monkeypatch.setattr(backend, "find_spec", lambda name: name)
    assert chosen() == "numba"
    monkeypatch.setenv("CHARRNN_BACKEND", "numpy")
    assert chosen() == "numpy"
    assert notes() == ()
    told: list[str] = []
    config = load_config(None, ["training.backend=numba"], {})
    assert backend.backend_of(config, told.append) is NUMPY
    assert told == [f"{NOT_USED} CHARRNN_BACKEND=numpy turns it off."]


@pytest.mark.usefixtures("with_numba")
def test_nothing_is_compiled_anew_for_each_run(monkeypatch, tmp_path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "file"))
    assert chosen() == "numpy"
    assert notes() == (
        f"{NOT_USED} what it compiles cannot be kept in {tmp_path / 'file' / 'numba'}.",
    )
    assert chosen("training.backend=numba") == "numba"


@pytest.mark.usefixtures("without_numba")
def test_without_numba() -> None:
    assert chosen() == "numpy"
    assert notes() == ()


@pytest.mark.usefixtures("without_numba")
def test_a_config_of_another_machine_is_computed_by_numpy() -> None:
    """What is recorded is what computes, so that a resumed run has the same bits."""
    assert chosen("training.backend=numba") == "numpy"
    (note,) = notes("training.backend=numba")
    assert note.startswith(f"{NOT_USED} it is not installed. To install it: ")


@pytest.mark.usefixtures("without_numba")
def test_a_run_of_another_machine_goes_on_without_numba() -> None:
    told: list[str] = []
    config = load_config(None, ["training.backend=numba"], {})
    assert backend.backend_of(config, told.append) is NUMPY
    (note,) = told
    assert note.startswith(f"{NOT_USED} it is not installed. To install it: ")
    assert "numba" in note.partition("install it: ")[2]


@pytest.mark.parametrize("failure", ["ImportError('needs an older NumPy')", "OSError('no LLVM')"])
def test_a_numba_that_cannot_be_imported_is_not_used(monkeypatch, tmp_path, failure) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "numba"]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "numba.py").write_text(f"raise {failure}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(backend, "LOADER", compiling.Loader())
    told: list[str] = []
    config = load_config(None, ["training.backend=numba"], {})
    assert backend.backend_of(config, told.append) is NUMPY
    assert told == [f"{NOT_USED} {failure.split(chr(39))[1]}"]


def test_a_config_without_the_setting_is_of_a_run_by_numpy() -> None:
    values = load_config(None, [], {}).model_dump()
    del values["training"]["backend"]
    assert type(load_config(None, [], {})).model_validate(values).training.backend == "numpy"


def test_what_computes_a_run_is_recorded(charrnn, text_file) -> None:
    assert charrnn("train", text_file, *TINY, "--max-steps", 2, "--out", "run").code == 0
    assert load_config("run/config.yaml", [], {}).training.backend == "numpy"


def test_what_does_not_work_is_told_and_not_used(monkeypatch) -> None:
    pytest.importorskip("numba", reason="numba (the extra `fast`) is not installed")
    told: list[str] = []

    def wrong(dtype: object) -> None:
        raise ArithmeticError("wrong numbers")

    loader = compiling.Loader()
    for _ in range(2):
        assert not loader.load(wrong, "float32", told.append)
    assert told == [f"{NOT_USED} wrong numbers"]
