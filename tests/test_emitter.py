"""Sinks receive every event, one at a time, and cannot end a run."""

import os
import signal
import threading

import numpy as np
import pytest

from charrnn.events import Noted, Stepped, StopRequested
from charrnn.runs import train as runs_train
from charrnn.runs.emitter import Emitter
from charrnn.runs.start import new_run
from charrnn.runs.stop import stop_requests
from charrnn.system.signals import SIGNALS
from charrnn.training.checkpoint import load
from tests.runs import Listener, train
from tests.test_divergence import config_of


class Failing(Listener):
    """A sink that fails after some events."""

    def __init__(self, after: int, when: str = "call") -> None:
        super().__init__(lambda event: None)
        self.left, self.when, self.closed = after, when, 0

    def __call__(self, event: object) -> None:
        self.left -= 1
        if self.when == "call" and self.left < 0:
            raise ConnectionError("the server is gone")

    def flush(self) -> None:
        if self.when == "flush" and self.left < 0:
            raise ConnectionError("the server is gone")

    def close(self) -> None:
        self.closed += 1
        raise OSError("nor can it be closed")


@pytest.mark.parametrize("when", ["call", "flush", "close"])
@pytest.mark.parametrize("after", [0, 25])
def test_a_failing_sink_does_not_end_a_run(tmp_path, text_file, after, when) -> None:
    """The other sinks get one note, and the weights are unaffected."""
    seen: list[object] = []
    failing = Failing(after, when)
    train(new_run(config_of(text_file), str(tmp_path / "lost")), [failing, seen.append])
    train(new_run(config_of(text_file), str(tmp_path / "whole")), [])
    one, other = (
        load(tmp_path / name / "checkpoints/last.safetensors").params.flat
        for name in ("lost", "whole")
    )
    assert np.array_equal(one, other)
    assert [event.step for event in seen if isinstance(event, Stepped)] == list(range(1, 61))
    notes = [event.note for event in seen if isinstance(event, Noted)]
    what = (
        "OSError: nor can it be closed"
        if when == "close"
        else "ConnectionError: the server is gone"
    )
    assert notes == [f"Failing failed ({what}) and gets no more events."]
    assert failing.closed == 1


@pytest.mark.parametrize("when", ["call", "flush"])
def test_several_sinks_can_fail_at_once(when) -> None:
    first, second, seen = Failing(0, when), Failing(0, when), []
    emit = Emitter([first, second, Listener(seen.append)])
    emit(StopRequested())
    emit.flush()
    emit(StopRequested())
    assert [type(event) for event in seen].count(StopRequested) == 2
    assert [type(event) for event in seen].count(Noted) == 2
    assert first.closed == second.closed == 1


def test_a_closed_sink_gets_no_event() -> None:
    log: list[object] = []

    class Closing(Listener):
        def close(self) -> None:
            log.append("close")

    Emitter([Closing(log.append), Failing(1), Closing(log.append)]).close()
    (early, note, late) = log
    assert early == late == "close"
    assert isinstance(note, Noted)


def test_sinks_are_flushed_before_each_save_and_closed_at_the_end(tmp_path, text_file) -> None:
    class Order(Listener):
        def flush(self) -> None:
            order.append("flush")

        def close(self) -> None:
            order.append("close")

    order: list[object] = []
    config = config_of(text_file, "training.max_steps=20", "evaluation.count=2")
    train(new_run(config, str(tmp_path / "run")), [Order(order.append)])
    kinds = [event if isinstance(event, str) else type(event).__name__ for event in order]
    assert kinds[0] == "flush"  # before the first checkpoint
    assert kinds[-2:] == ["RunEnded", "close"]
    after = [kinds[i + 1 :] for i, kind in enumerate(kinds) if kind == "Evaluated"]
    assert len(after) == kinds.count("flush") - 1 == 2
    assert all(
        "flush" in following[:3] for following in after
    )  # weights and a sample may come between


def test_a_failing_run_closes_its_sinks_and_unlocks_its_directory(tmp_path, text_file) -> None:
    closed = []

    class Closing(Listener):
        def close(self) -> None:
            closed.append(True)

    def interrupt(event: object) -> None:
        if isinstance(event, Stepped) and event.step == 5:
            raise KeyboardInterrupt

    run = new_run(config_of(text_file), str(tmp_path / "run"))
    with pytest.raises(KeyboardInterrupt):
        runs_train.train(run, [Closing(lambda event: None), Listener(interrupt)])
    assert closed == [True]
    assert not run.directory.locked


def test_events_of_two_threads_do_not_overlap() -> None:
    inside, overlaps = [], []

    def slow(event: object) -> None:
        inside.append(event)
        threading.Event().wait(0.001)
        overlaps.append(len(inside) > 1)
        inside.pop()

    emit = Emitter([Listener(slow)])
    threads = [
        threading.Thread(target=lambda: [emit(StopRequested()) for _ in range(10)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == [False] * 40


def test_a_stop_is_announced_from_another_thread() -> None:
    """A signal handler may interrupt a sink, so it must not call one."""
    announced, callers = threading.Event(), []

    def announce() -> None:
        callers.append(threading.current_thread())
        announced.set()

    with stop_requests(announce) as stopped:
        assert not stopped()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopped()
        assert announced.wait(10)
    assert callers
    assert callers[0] is not threading.main_thread()


def test_without_a_request_nothing_is_announced() -> None:
    with stop_requests(lambda: pytest.fail("announced")) as stopped:
        assert not stopped()


def test_another_thread_than_the_main_one_handles_no_signals() -> None:
    """Python allows it only there; a refusal would leave a thread and a pipe behind."""
    handlers, seen = {number: signal.getsignal(number) for number in SIGNALS}, []

    def wait() -> None:
        with stop_requests(lambda: pytest.fail("announced")) as stopped:
            seen.append((stopped(), {number: signal.getsignal(number) for number in SIGNALS}))

    before = len(os.listdir("/dev/fd")), threading.active_count()
    thread = threading.Thread(target=wait)
    thread.start()
    thread.join()
    assert seen == [(False, handlers)]
    assert (len(os.listdir("/dev/fd")), threading.active_count()) == before


def test_an_interruption_while_handlers_are_installed_leaves_nothing_behind(monkeypatch) -> None:
    install, handlers = signal.signal, {number: signal.getsignal(number) for number in SIGNALS}

    def interrupted(number: int, handler: object) -> object:
        if number == signal.SIGTERM and handler is not handlers[number]:
            raise KeyboardInterrupt
        return install(number, handler)

    before = len(os.listdir("/dev/fd")), threading.active_count()
    monkeypatch.setattr(signal, "signal", interrupted)
    with pytest.raises(KeyboardInterrupt), stop_requests(lambda: None):
        pass
    assert (len(os.listdir("/dev/fd")), threading.active_count()) == before
    assert {number: signal.getsignal(number) for number in SIGNALS} == handlers
