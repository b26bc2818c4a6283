"""How ranks, the processes of an MPI launcher, share the lanes of a run and the cores."""

from charrnn.config.settings import Config, ResolvedConfig
from charrnn.errors import UsageError
from charrnn.system.ranks import Ranks, current
from charrnn.text.sources import STDIN
from charrnn.training.workers import choose_workers
from charrnn.wording import pluralize


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
    return -(-lanes // ranks_in_all())


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


def sharing_notes(config: ResolvedConfig, ranks: Ranks) -> tuple[str, ...]:
    """What the user should know about the shares of the ranks."""
    batch_size, workers = config.training.batch_size, config.training.workers
    where = f" on {ranks.hosts} machines" if ranks.hosts > 1 else ""
    notes = [
        f"{ranks.size} ranks{where}, each with {pluralize(workers, 'worker')}, share the lanes."
    ]
    least, rest = divmod(batch_size, ranks.size)
    if rest:
        notes.append(
            f"{ranks.size} ranks cannot share {batch_size} lanes equally: those with {least} wait "
            f"for those with {least + 1}. Equal shares: `training.batch_size={least * ranks.size}` "
            f"or {(least + 1) * ranks.size}"
        )
    return tuple(notes)
