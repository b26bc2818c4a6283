"""Several processes of this machine that work on one study, and the one that watches them."""

import multiprocessing
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Event, Thread

from charrnn.errors import CharrnnError
from charrnn.runs.stop import stop_requests
from charrnn.sweep_events import SweepEvent, SweepNoted
from charrnn.sweeps.assignment import Assignment, Emit
from charrnn.sweeps.study import open_study
from charrnn.sweeps.worker import work
from charrnn.system.signals import SIGNALS
from charrnn.wording import pluralize

POLL_SECONDS = 0.1


class _Job:
    """A process that works, and the connection to it.

    Through the connection come events and the error that ended it; what is sent to it, or its end
    because this process was killed, stops the work.
    """

    def __init__(self, assignment: Assignment, number: int) -> None:
        # a forked process would inherit locks that threads of this one hold
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.name = f"worker {number}"
        self.process: BaseProcess = context.Process(
            target=_work, args=(assignment, theirs), name=self.name
        )
        self.process.start()
        theirs.close()

    def stop(self) -> None:
        """Asks it to save and stop."""
        with suppress(OSError):
            self.connection.send(None)

    def end(self) -> None:
        """Ends it at once."""
        self.process.kill()
        self.process.join()
        self.connection.close()


def work_together(assignment: Assignment, stopped: Callable[[], bool], emit: Emit) -> None:
    """Works on a study with several processes; none of them outlives this function.

    Args:
        assignment: What each of them works on.
        stopped: Asked often; true ends the work after saving.
        emit: Receives the events of all.

    Raises:
        CharrnnError: That of a process; or all of them were killed.
    """
    jobs: list[_Job] = []
    try:
        for number in range(1, assignment.jobs + 1):
            jobs.append(_Job(assignment, number))
        _watch(jobs, stopped, emit)
    finally:
        for job in jobs:
            job.end()


def _watch(jobs: list[_Job], stopped: Callable[[], bool], emit: Emit) -> None:
    running = {job.connection: job for job in jobs}
    error: CharrnnError | None = None
    asked, killed = False, 0
    while running:
        if not asked and (error or stopped()):
            asked = True
            for job in running.values():
                job.stop()
        ready = wait([*running], POLL_SECONDS)
        for job in [job for connection, job in running.items() if connection in ready]:
            try:
                received = job.connection.recv()
            except (EOFError, OSError):
                del running[job.connection]
                job.process.join()
                if job.process.exitcode:
                    killed += 1
                    emit(SweepNoted(_death(job, len(running))))
                continue
            if isinstance(received, CharrnnError):
                error = error or received
            else:
                emit(received)
    if error:
        raise error
    if killed == len(jobs):
        raise CharrnnError(
            f"{pluralize(killed, 'worker')} ended unexpectedly, all that there were.",
            "the same command continues the sweep.",
        )


def _death(job: _Job, others: int) -> str:
    code = job.process.exitcode or 0
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    more = "; another one takes over its trial" if others else ""
    return f"{job.name} (process {job.process.pid}) {how}{more}"


def _work(assignment: Assignment, connection: Connection) -> None:
    """Works, in a process of its own, until the process that started it says stop or ends."""
    for number in SIGNALS:
        if number is not signal.SIGTERM:  # a terminal sends them to all processes in it
            signal.signal(number, signal.SIG_IGN)
    asked = Event()

    def listen() -> None:
        with suppress(EOFError, OSError):
            connection.recv()
        asked.set()

    def emit(message: SweepEvent | CharrnnError) -> None:
        with suppress(OSError):  # nobody listens any more
            connection.send(message)

    Thread(target=listen, name="stop", daemon=True).start()
    assignment.prepare()
    try:
        study = open_study(assignment.study, assignment.storage, assignment.plan)
        with stop_requests(lambda: None, [signal.SIGTERM]) as requested:
            work(assignment, study, lambda: asked.is_set() or requested(), emit)
    except CharrnnError as error:
        emit(error)
