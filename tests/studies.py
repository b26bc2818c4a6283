"""Studies with known losses, as a sweep stores them, without any training."""

from collections.abc import Callable
from math import exp, log
from typing import Any

import optuna
from optuna.trial import TrialState, create_trial

from charrnn.config.comments import default_values
from charrnn.config.layers import check_config, config_values
from charrnn.sweeps.space import Choices, Range, Space, plain_space

LR, DROPOUT, HIDDEN, NAME = (
    "optimizer.learning_rate",
    "model.dropout",
    "model.hidden_size",
    "model.activation",
)
SPACE: Space = {
    LR: Range(1e-3, 1e-2, log=True),
    DROPOUT: Range(0.0, 0.3),
    HIDDEN: Choices((128, 256, 384)),
    NAME: Choices(("tanh", "relu")),
}
Loss = Callable[[dict[str, Any]], float]


def rate_matters(settings: dict[str, Any]) -> float:
    """A loss that is least at a learning rate of 0.005, and that nothing else changes much."""
    return 1.5 + 0.2 * log(settings[LR] / 5e-3) ** 2 + 0.001 * settings[DROPOUT]


def study_of(
    losses: Loss = rate_matters, count: int = 24, space: Space = SPACE, seed: int = 0
) -> optuna.Study:
    """A study of random complete trials."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    study.set_user_attr("config", config_values(check_config(default_values())))
    study.set_user_attr("space", plain_space(space))
    study.set_user_attr("text", ["texts/my-text.txt"])
    for _ in range(count):
        trial = study.ask()
        for key, one in space.items():
            one.suggest(key, trial)
        values = {key: one.value_of(trial.params[key]) for key, one in space.items()}
        loss = losses(values)
        for name, value in {
            "run": f"sweeps/try/trial-{trial.number}", "seed": 1, "train": loss - 0.1,
            "seconds": 180.0 + trial.number, "steps": 3000,
        }.items():  # fmt: skip
            trial.set_user_attr(name, value)
        for evaluation in range(1, 4):
            trial.report(loss + exp(-evaluation), evaluation)
        study.tell(trial, loss)
    return study


def add(
    study: optuna.Study, like: int, state: TrialState, value: float | None = None, **more: Any
) -> None:
    """Adds a trial with the settings of another one."""
    known = study.get_trials()[like]
    study.add_trial(
        create_trial(
            state=state, value=value, params=known.params, distributions=known.distributions,
            intermediate_values=more.pop("curve", {}), user_attrs=more,
        )
    )  # fmt: skip


def repeat_best(study: optuna.Study, differences: tuple[float, ...] = (0.01, 0.02)) -> int:
    """Adds repeats of the best trial with other seeds, and returns its number."""
    best = study.best_trial
    for seed, difference in enumerate(differences, 2):
        value = (best.value or 0) + difference
        add(study, best.number, TrialState.COMPLETE, value, repeats=best.number, seed=seed)
    return best.number
