"""Results about runs: what one logged, and a summary of it."""

from dataclasses import dataclass

from charrnn.events import Baselines, Evaluated, LagProfile, Sampled, Stepped, Tested


@dataclass(frozen=True)
class RunLog:
    """The lines of a run's `metrics.jsonl`, in the order of their steps.

    Attributes:
        baselines: The loss of the baselines; None without held-out text.
        steps: The training steps that were logged.
        evaluations: The evaluations.
        samples: The samples.
        lag_profiles: How far gradients flowed back, of each layer.
        test: The score on the test text, if there is one.
        unreadable: The number of lines that are no events, such as one that was cut off.
    """

    baselines: Baselines | None
    steps: tuple[Stepped, ...]
    evaluations: tuple[Evaluated, ...]
    samples: tuple[Sampled, ...]
    lag_profiles: tuple[LagProfile, ...]
    test: Tested | None
    unreadable: int
