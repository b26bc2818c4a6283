"""Every setting of a run, with its type and bounds."""

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from charrnn.config.encodings import known_encoding
from charrnn.config.values import (
    MAX_WORKERS,
    Count,
    CountOrZero,
    FileName,
    FileNames,
    Fraction,
    Number,
    OneOrMorePatterns,
    Positive,
    Seconds,
    Trackers,
    UnitInterval,
    Workers,
)

MAX_LAYERS = 16
MAX_EPOCHS = 1e9


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Weights = Literal["orthogonal", "glorot", "normal"]


class Initialization(_Section):
    """The initializers of U (input), W (recurrent) and V (output)."""

    input: Weights
    recurrent: Literal["orthogonal", "glorot", "normal", "identity"]
    output: Weights
    recurrent_gain: Annotated[Positive, Field(le=1e6)]


class Model(_Section):
    """The network and its initial weights."""

    hidden_size: Annotated[Count, Field(le=65536)]
    layers: Annotated[Count, Field(le=MAX_LAYERS)]
    dropout: Fraction
    activation: Literal["tanh", "sigmoid", "relu"]
    bias: bool
    initialization: Initialization
    init_from: FileName | None
    vocabulary: FileName | None = None
    extend_vocabulary: bool

    @field_validator("vocabulary")
    @classmethod
    def _has_weights(cls, vocabulary: str | None, info: ValidationInfo) -> str | None:
        if vocabulary is not None and info.data.get("init_from", "") is None:
            raise ValueError("needs `model.init_from`, weights whose vocabulary it is")
        return vocabulary

    @field_validator("extend_vocabulary")
    @classmethod
    def _has_a_vocabulary(cls, extend: bool, info: ValidationInfo) -> bool:
        if extend and info.data.get("init_from", "") is None:
            raise ValueError("needs `model.init_from`, a checkpoint whose vocabulary it extends")
        return extend


class Data(_Section):
    """The text, how it is read, and its split."""

    text: FileNames
    encoding: Annotated[str, AfterValidator(known_encoding)]
    errors: Literal["strict", "replace"]
    newlines: Literal["normal", "keep"]
    include: OneOrMorePatterns = []
    exclude: OneOrMorePatterns = []
    sequences: Literal["stream", "lines", "documents"]
    min_count: Count
    validation_fraction: Fraction
    hold_out: Literal["each", "end"] = "end"  # what runs did that lack the setting
    validation: FileNames = []
    test: FileNames = []


class Clip(_Section):
    """Gradient clipping."""

    by: Literal["norm", "value", "none"]
    threshold: Positive


class Training(_Section):
    """How the network is trained."""

    batch_size: Count
    bptt: Literal["truncated", "full"]
    window: Count
    stride: Count | None
    memory: Literal["plain", "recompute"]
    reduction: Literal["mean", "sum"]
    precision: Literal["float32", "float64"]
    clip: Clip
    averaging: Fraction = 0.0  # what runs did that lack the setting
    max_steps: CountOrZero | None
    epochs: Annotated[Positive, Field(le=MAX_EPOCHS)] | None = None
    max_time: Seconds | None
    patience: Count | None
    on_divergence: Literal["stop", "rollback"]
    max_rollbacks: CountOrZero
    workers: Workers
    backend: Literal["auto", "numpy", "numba"] = "numpy"  # what runs had that lack the setting
    seed: CountOrZero

    @field_validator("stride")
    @classmethod
    def _within_the_window(cls, stride: int | None, info: ValidationInfo) -> int | None:
        window = info.data.get("window")
        if stride is not None and window is not None and stride > window:
            raise ValueError(f"should be at most training.window, {window}")
        return stride

    @field_validator("max_time")
    @classmethod
    def _ends(cls, max_time: float | None, info: ValidationInfo) -> float | None:
        others = (info.data.get("max_steps", ""), info.data.get("epochs", ""))
        if max_time is None and others == (None, None):
            raise ValueError(
                "and training.max_steps = null, so the run would never end; set one of them, "
                "such as `training.max_time=3m`"
            )
        return max_time


class ResolvedTraining(Training):
    """The same, with the number of workers on this machine."""

    workers: Annotated[int, Field(ge=1, le=MAX_WORKERS)]


Beta1 = Annotated[Fraction, Field(description="decay of the running average of gradients")]
Beta2 = Annotated[Fraction, Field(description="decay of the running average of their squares")]
Epsilon = Annotated[Positive, Field(description="added to what is divided by, so that it is not 0")]


class SGD(_Section):
    """Stochastic gradient descent, equation (17)."""

    name: Literal["sgd"]
    learning_rate: Positive = 0.5


class Momentum(_Section):
    """SGD with momentum (Polyak, 1964)."""

    name: Literal["momentum"]
    learning_rate: Positive = 0.1
    momentum: Annotated[Fraction, Field(description="what is kept of the previous update")] = 0.9


class Adagrad(_Section):
    """Adagrad: Duchi et al. 2011."""

    name: Literal["adagrad"]
    learning_rate: Positive = 0.01
    epsilon: Epsilon = 1e-8


class RMSprop(_Section):
    """RMSprop: Tieleman & Hinton 2012."""

    name: Literal["rmsprop"]
    learning_rate: Positive = 1e-3
    decay: Annotated[Fraction, Field(description="of the running average of squares")] = 0.99
    epsilon: Epsilon = 1e-8


class Adam(_Section):
    """Adam: Kingma & Ba 2015."""

    name: Literal["adam"]
    learning_rate: Positive = 2e-3
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.999
    epsilon: Epsilon = 1e-8


class AdamW(_Section):
    """Adam with decoupled weight decay: Loshchilov & Hutter 2019."""

    name: Literal["adamw"]
    learning_rate: Positive = 2e-3
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.999
    epsilon: Epsilon = 1e-8
    weight_decay: Annotated[Number, Field(ge=0, allow_inf_nan=False)] = 0.01


class Muon(AdamW):
    """Orthogonalized updates between units, AdamW elsewhere: Jordan et al. 2024."""

    name: Literal["muon"]  # type: ignore[assignment]


Optimizer = Annotated[
    SGD | Momentum | Adagrad | RMSprop | Adam | AdamW | Muon,
    Field(discriminator="name", description="The update rule, and its learning rate."),
]


class ConstantSchedule(_Section):
    """A constant learning rate, after a warm-up."""

    name: Literal["constant"]
    warmup: Fraction = 0.0


class StepSchedule(_Section):
    """The rate is multiplied by `factor` at each milestone, a fraction of the run."""

    name: Literal["step"]
    warmup: Fraction = 0.0
    factor: Annotated[
        Number, Field(gt=0, le=1, description="the rate is multiplied by it at each milestone")
    ] = 0.1
    milestones: Annotated[
        list[UnitInterval], Field(description="fractions of the run, such as [0.5, 0.75]")
    ] = [0.5, 0.75]


class CosineSchedule(_Section):
    """The rate falls along half a cosine to `final` times its full value."""

    name: Literal["cosine"]
    warmup: Fraction = 0.0
    final: Annotated[
        UnitInterval, Field(description="the rate at the end, as a fraction of the full one")
    ] = 0.0


Schedule = Annotated[
    ConstantSchedule | StepSchedule | CosineSchedule,
    Field(discriminator="name", description="How the learning rate changes over a run."),
]


class Evaluation(_Section):
    """Evaluations and samples during a run."""

    count: Count
    max_characters: Annotated[Count, Field(ge=2)] | None
    sample_length: Annotated[CountOrZero, Field(le=1_000_000)]


class Checkpoints(_Section):
    """How often checkpoints are saved, and how many are kept."""

    every: Seconds
    keep: CountOrZero


class Logging(_Section):
    """What is logged to metrics.jsonl, and which trackers receive it too."""

    every_steps: Count
    lag_profile: bool
    sinks: Trackers = []


class Config(_Section):
    """Every setting of a run."""

    model: Model
    data: Data
    training: Training
    optimizer: Optimizer
    schedule: Schedule
    evaluation: Evaluation
    checkpoints: Checkpoints
    logging: Logging


class ResolvedConfig(Config):
    """A config resolved for this machine: absolute paths and a known number of workers."""

    training: ResolvedTraining
