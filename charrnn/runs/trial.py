"""Trial steps by all ranks, from whose speed rank 0 plans a run."""

from dataclasses import replace

from charrnn.config.settings import ResolvedConfig
from charrnn.results import Trial
from charrnn.runs.leader import Leader
from charrnn.runs.orders import TrialTask
from charrnn.setup.preparation import Prepared
from charrnn.setup.trial import first_windows, trial
from charrnn.system.ranks import current
from charrnn.training.state import TrainState

WINDOWS = 16  # which the other ranks are sent, since they have not read the text


def trial_of_all(
    config: ResolvedConfig, text: Prepared, state: TrainState, seconds: float
) -> Trial:
    """Trains for some seconds with all ranks, as the run will; see `trial`."""
    ranks = current.get()
    if not ranks:
        return trial(config, text, state, seconds)
    windows = first_windows(text.batches, WINDOWS)
    task = TrialTask(config.model_dump(mode="json"), len(text.corpus.vocabulary), windows)
    text = replace(text, batches=windows)
    return trial(config, text, state, seconds, ranks, Leader(ranks, task).leading)
