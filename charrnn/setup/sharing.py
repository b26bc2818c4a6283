"""How ranks, the processes of an MPI launcher, and their threads share lanes and cores."""

from math import ceil

from charrnn.config.settings import Config, ResolvedConfig
from charrnn.errors import UsageError
from charrnn.system.machine import available_cores
from charrnn.system.ranks import current
from charrnn.text.sources import STDIN
from charrnn.training.workers import choose_workers, smallest_batch, worthwhile_workers
from charrnn.wording import pluralize

# fraction of the workers' time that unequal shares may waste before a note says so
MAX_WAITING = 0.1
# times the present batch that a note advises at most: more would train differently
MAX_LARGER = 4


def ranks_in_all() -> int:
    """The number of ranks that share the lanes; 1 without a launcher."""
    ranks = current.get()
    return ranks.size if ranks else 1


def ranks_here() -> int:
    """The number of ranks that share the memory of a machine."""
    ranks = current.get()
    return ranks.local if ranks else 1


def lanes_per_rank(lanes: int) -> int:
    """The most lanes that a rank has of so many."""
    return ceil(lanes / ranks_in_all())


def workers_of(config: Config) -> int:
    """The number of threads of a rank; those of all ranks together are at most one per core.

    Raises:
        UsageError: There are more ranks than lanes, or the text is standard input.
    """
    training, ranks = config.training, current.get()
    lanes, hidden_size = lanes_per_rank(training.batch_size), config.model.hidden_size
    if ranks is None:
        return choose_workers(training.workers, lanes, hidden_size)
    if ranks.size > training.batch_size:
        raise UsageError(
            f"{ranks.size} ranks cannot share {pluralize(training.batch_size, 'lane')}.",
            f"start {training.batch_size} or fewer, or give each a lane: "
            f"`training.batch_size={ranks.size}`",
        )
    if STDIN in config.data.text:
        raise UsageError(
            "only one of the ranks has standard input, and each reads the text.",
            "give the text as a file.",
        )
    return min(choose_workers(training.workers, lanes, hidden_size, ranks.cores), ranks.cores)


def crowd_notes() -> tuple[str, ...]:
    """Whether there are more ranks than cores."""
    ranks = current.get()
    if not ranks or not ranks.crowded:
        return ()
    host, count, cores = ranks.crowded
    where, remedy = "", f"mpirun -n {cores} uses them all."
    if ranks.hosts > 1:
        where, remedy = f" on {host}", f"start {cores} there."
    elif cores == 1:
        remedy = "start charrnn without mpirun."
    shared = f"{count} ranks{where} share {pluralize(cores, 'core')}"
    return (f"{shared}, and wait for each other: {remedy}",)


def limit_notes(config: Config) -> tuple[str, ...]:
    """Whether ranks have fewer threads than the user wants, for lack of cores."""
    ranks, wanted = current.get(), config.training.workers
    if not ranks or wanted == "auto" or int(wanted) <= ranks.cores:
        return ()
    cores, workers = pluralize(ranks.cores, "core"), pluralize(workers_of(config), "worker")
    return (f"`training.workers={wanted}`: each rank has {cores}, and so {workers}.",)


def sharing_notes(config: ResolvedConfig) -> tuple[str, ...]:
    """What the user should know about how ranks and their threads share the lanes of a run."""
    workers, ranks, notes = config.training.workers, current.get(), []
    if ranks:
        where = f" on {ranks.hosts} machines" if ranks.hosts > 1 else ""
        notes.append(
            f"{ranks.size} ranks{where}, each with {pluralize(workers, 'worker')}, share the lanes."
        )
    notes += _unequal_shares(config)
    return tuple(notes) or _few_workers(config)


def idle_notes(config: ResolvedConfig) -> tuple[str, ...]:
    """Notes on cores that stay idle because more threads would only wait for each other."""
    workers, cores = config.training.workers, _cores()
    if not _as_chosen(config) or workers >= cores or sharing_notes(config):
        return ()
    return (
        f"{cores - workers} of {cores} cores {_has(cores - workers)} no work: for a batch and a "
        f"network of this size, {workers + 1} workers would mostly wait for each other."
        + _larger_batch(config, workers + 1),
    )


def _unequal_shares(config: ResolvedConfig) -> tuple[str, ...]:
    """Whether some of the ranks, or of the workers, wait for the others."""
    batch_size, count = config.training.batch_size, ranks_in_all()
    workers = count * config.training.workers
    for name, number, limit in (("ranks", count, 0.0), ("workers", workers, MAX_WAITING)):
        least, rest = divmod(batch_size, number)
        if rest and 1 - batch_size / (number * (least + 1)) > limit:
            return (
                f"{number} {name} cannot share {pluralize(batch_size, 'lane')} equally: those with "
                f"{least} wait for those with {least + 1}. Equal shares: "
                f"`training.batch_size={least * number}` or {(least + 1) * number}",
            )
    return ()


def _few_workers(config: ResolvedConfig) -> tuple[str, ...]:
    """Whether one process has more workers than cores, or fewer for lack of lanes."""
    training, cores = config.training, _cores()
    workers, usable = training.workers, _usable_cores(training.batch_size, config.model.hidden_size)
    if workers > cores:
        return (
            f"{workers} workers share {pluralize(cores, 'core')} and wait for each other: "
            f"`training.workers={cores}`",
        )
    if not _as_chosen(config) or workers >= usable:
        return ()
    return (
        f"{workers} of {cores} cores {_has(workers)} work: each worker needs at least two lanes, "
        "and all get the same number." + _larger_batch(config, usable),
    )


def _has(count: int) -> str:
    """The verb for so many."""
    return "has" if count == 1 else "have"


def _cores() -> int:
    """The number of cores that this process may use."""
    return len(available_cores())


def _usable_cores(lanes: int, hidden_size: int) -> int:
    """The workers for which the batch is nearly large enough, after rounding it up."""
    count = min(_cores(), worthwhile_workers(lanes, hidden_size))
    enough = smallest_batch(count, hidden_size)
    return count if enough <= lanes else _usable_cores(enough, hidden_size)


def _as_chosen(config: ResolvedConfig) -> bool:
    """Whether there are as many threads as would be chosen, not fewer because the user says so."""
    training, hidden_size = config.training, config.model.hidden_size
    return training.workers == choose_workers("auto", training.batch_size, hidden_size)


def _larger_batch(config: ResolvedConfig, workers: int) -> str:
    """The batch for so many workers or more, if it is not much larger than the present one."""
    present, hidden_size = config.training.batch_size, config.model.hidden_size
    lanes, number = present, 0
    while number < workers:
        lanes = max(smallest_batch(workers, hidden_size), ceil(lanes / workers) * workers)
        number = choose_workers("auto", lanes, hidden_size)
        workers = _usable_cores(lanes, hidden_size)
    if lanes > MAX_LARGER * present:
        return ""
    return f" A batch for {number} workers: `training.batch_size={lanes}`"
