"""How much of generated texts occurs in the text that a model was trained on."""

from dataclasses import dataclass

from charrnn.results.display import Displayed


@dataclass(frozen=True)
class Copy:
    """A passage that also occurs in the training text.

    Attributes:
        text: The passage.
        length: Its characters.
        offset: The number of characters before its first occurrence in the text as it was read, its
            files one after another.
        line: The line of that text in which it begins there, from 1.
    """

    text: str
    length: int
    offset: int
    line: int


@dataclass(frozen=True)
class Items:
    """Complete lines or documents, compared with those of the training text.

    Attributes:
        count: The number of items.
        copies: Those that are also items of the training text, in order.
        repeated: The number of items that occur earlier among the items.
    """

    count: int
    copies: tuple[str, ...]
    repeated: int


@dataclass(frozen=True)
class Overlap:
    """What some texts have in common with the training text.

    Attributes:
        temperature: The temperature that the texts were sampled at; None for texts that were not.
        characters: The characters that were compared.
        shares: For each length, the fraction of the texts' passages of that length, at every
            position, that also occur in the training text; None if the texts are shorter.
        longest: The longest passage that also occurs there; None if no character does.
        items: The texts as lines or documents; None if the model generates neither.
    """

    temperature: float | None
    characters: int
    shares: tuple[float | None, ...]
    longest: Copy | None
    items: Items | None


@dataclass(frozen=True)
class Novelty(Displayed):
    """How much of generated texts occurs in a text, usually the one to train on.

    Attributes:
        text: The files of that text.
        own: Whether it is the one that the model was trained on, of which the held-out part does
            not count.
        characters: The number of characters compared with.
        lengths: The lengths of the passages, in characters.
        samples: The generated texts, those of each temperature together.
        held_out: For comparison, held-out text with as many characters as the first samples, where
            there are as many: passages of the same lengths, or lines or documents of which the last
            is cut. None if there is no held-out text.
        item: What an item is called, "line" or "document"; None if there are none.
    """

    text: tuple[str, ...]
    own: bool
    characters: int
    lengths: tuple[int, ...]
    samples: tuple[Overlap, ...]
    held_out: Overlap | None
    item: str | None
