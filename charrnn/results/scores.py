"""Results of scoring a text."""

from dataclasses import dataclass

from charrnn.results.display import Displayed


@dataclass(frozen=True)
class TextBaselines:
    """The loss of other ways to predict the same characters, in nats per character.

    Attributes:
        uniform: All characters that the model knows are equally likely.
        unigram: How often each occurs in the training text; None if that text is unavailable.
        ngram: Witten-Bell counts of what follows each `context` characters there; None likewise.
        context: The number of characters before each that the n-gram looks at.
        xz: The size to which xz compresses the scored text by itself.
        characters: The number of characters that unigram, ngram and xz are of: those from the start
            of a large text.
    """

    uniform: float
    unigram: float | None
    ngram: float | None
    context: int
    xz: float
    characters: int


@dataclass(frozen=True)
class DynamicScore:
    """The score of a model that makes a step of training on each segment after scoring it.

    rate: the learning rate of these steps. segment: characters per step.
    """

    rate: float
    segment: int
    nats_per_character: float
    bits_per_character: float


@dataclass(frozen=True)
class TextScore(Displayed):
    """How well a model predicts a text.

    In one stream, every character is predicted but the first; in blocks, every character but the
    first of the text, the first of each block after a single one.

    Attributes:
        characters: The number of characters that were predicted.
        nats_per_character, bits_per_character: The mean loss.
        bits_per_byte: The same bits spread over the bytes that those characters have in UTF-8.
        perplexity: The number of equally likely characters that would be as hard to predict.
        scoring: "stream", "lines" or "documents", as the model was trained, or "blocks".
        block: Characters of a block, each of which starts from the zero state; None without blocks.
        baselines: The loss without this model; None if it was not asked for.
        dynamic: The score with dynamic evaluation; None if it was not asked for.
    """

    characters: int
    nats_per_character: float
    bits_per_character: float
    bits_per_byte: float
    perplexity: float
    scoring: str
    block: int | None = None
    baselines: TextBaselines | None = None
    dynamic: DynamicScore | None = None
