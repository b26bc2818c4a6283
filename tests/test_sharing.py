"""What is said where lanes, workers and cores do not fit together."""

import re

import pytest

from charrnn.config.layers import load_config
from charrnn.setup.sharing import idle_notes, sharing_notes
from charrnn.setup.wiring import resolve
from charrnn.training.workers import choose_workers, smallest_batch

Notes = tuple[tuple[str, ...], tuple[str, ...]]


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch):
    """The notes on a batch, on a machine with so many cores."""

    def found(cores: int, lanes: int, hidden_size: int, workers: int | str = "auto") -> Notes:
        monkeypatch.setattr("os.sched_getaffinity", lambda pid: range(cores), raising=False)
        monkeypatch.setattr("os.cpu_count", lambda: cores)
        own = {"training.batch_size": lanes, "model.hidden_size": hidden_size}
        own["training.workers"] = workers
        config = resolve(load_config(None, [f"{key}={value}" for key, value in own.items()], {}))
        return sharing_notes(config), idle_notes(config)

    return found


@pytest.mark.parametrize("hidden_size", [8, 100, 256, 384, 1024])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 16])
def test_the_smallest_batch_for_so_many_workers(hidden_size: int, count: int) -> None:
    batch = smallest_batch(count, hidden_size)
    assert batch % count == 0
    assert choose_workers("auto", batch, hidden_size, cores=count) == count
    if batch > count:
        assert choose_workers("auto", batch - count, hidden_size, cores=count) < count


def test_what_fits_is_not_worth_a_word(notes) -> None:
    assert notes(2, 32, 256) == ((), ())
    assert notes(1, 3, 2048) == ((), ())
    assert notes(4, 50, 2048, 4) == ((), ())  # 13, 13, 12 and 12: nearly equal
    assert notes(16, 64, 256, 1) == ((), ())  # as the user says


def test_workers_that_wait_for_others(notes) -> None:
    said, idle = notes(2, 3, 64, 2)
    assert said == (
        "2 workers cannot share 3 lanes equally: those with 1 wait for those with 2. "
        "Equal shares: `training.batch_size=2` or 4",
    )
    assert not idle


def test_more_workers_than_cores(notes) -> None:
    assert notes(2, 8, 64, 8)[0] == (
        "8 workers share 2 cores and wait for each other: `training.workers=2`",
    )


def test_a_batch_too_small_for_the_cores(notes) -> None:
    said, idle = notes(4, 2, 1024)
    assert said == (
        "1 of 4 cores has work: each worker needs at least two lanes, and all get the same "
        "number. "
        "A batch for 3 workers: `training.batch_size=6`",
    )
    assert not idle
    assert notes(4, 6, 1024)[0] == ()
    # shares are nearly equal: 13 workers have 3 or 4 lanes each
    said, _ = notes(16, 50, 9999)
    assert said[0].startswith("13 of 16 cores have work")
    assert said[0].endswith("A batch for 16 workers: `training.batch_size=64`")
    assert notes(16, 64, 9999)[0] == ()


def test_cores_that_would_wait_have_no_work(notes) -> None:
    said, (idle,) = notes(16, 32, 256)
    assert not said
    assert idle.startswith(
        "14 of 16 cores have no work: for a batch and a network of this size, 3 "
    )
    assert idle.endswith("A batch for 3 workers: `training.batch_size=39`")
    assert choose_workers("auto", 39, 256, cores=16) == 3


def test_a_much_larger_batch_is_not_advised(notes) -> None:
    _, (idle,) = notes(2, 3, 16)
    assert idle.startswith("1 of 2 cores has no work")
    assert idle.endswith("for each other.")


@pytest.mark.parametrize("cores", [2, 3, 8, 30])
@pytest.mark.parametrize("hidden_size", [16, 300, 2048])
def test_the_batch_that_is_advised_fits(notes, cores: int, hidden_size: int) -> None:
    for lanes in range(1, 40):
        said, idle = notes(cores, lanes, hidden_size)
        for note in (*said, *idle):
            if found := re.search(r"A batch for (\d+) workers: `training.batch_size=(\d+)`", note):
                workers, batch = map(int, found.groups())
                assert choose_workers("auto", batch, hidden_size, cores) == workers
                assert notes(cores, batch, hidden_size)[0] == ()


def test_notes_are_printed_by_train_and_inspect(charrnn, text_file, monkeypatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: range(4), raising=False)
    settings = ["-c", "default", "--batch-size", 2, "--hidden-size", 1024, "--max-steps", 0]
    for command in (["train", "--out", "run"], ["inspect"]):
        outcome = charrnn(command[0], text_file, *settings, *command[1:])
        assert "note: 1 of 4 cores has work" in outcome.err
        assert "A batch for 3 workers: --batch-size 6" in outcome.err
