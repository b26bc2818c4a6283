"""An explanation: real numbers of a small network, in parts that are shown one below another."""

from dataclasses import dataclass, field
from typing import Any, Literal

from charrnn.arrays import Array
from charrnn.results.display import Displayed

Columns = dict[str, list[Any]]  # of a table, by heading
Shown = Literal["everywhere", "terminal", "picture"]


@dataclass(frozen=True)
class Statement(Displayed):
    """A sentence or a formula.

    Attributes:
        text: The sentence.
        equation: The number of the equation that it is about, such as "(7)"; may be empty.
    """

    text: str
    equation: str = ""
    kind: Literal["statement"] = "statement"


@dataclass(frozen=True)
class Table(Displayed):
    """Named columns of the same length, the first of which identifies a row.

    Attributes:
        name: What a program calls it.
        title: What it shows, in words.
        columns: The columns by heading. A string of one character is a character of the text.
        equation: The number of the equation that it is about.
    """

    name: str
    title: str
    columns: Columns
    equation: str = ""
    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class Matrix(Displayed):
    """A matrix, printed as numbers or drawn as a heat map.

    Attributes:
        name: What a program calls it.
        title: What it shows, in words.
        values: Its entries (M, N); NaN where there is none.
        rows, columns: The labels of rows (M,) and columns (N,).
        row_title, column_title: What rows and columns are.
        heat: Whether the terminal shows shades instead of numbers.
        kept: Entries to emphasize (M, N), by crossing out the others or by an outline; None for
            all.
        shown: Where it is shown.
        equation: The number of the equation that it is about.
    """

    name: str
    title: str
    values: Array
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    row_title: str = ""
    column_title: str = ""
    heat: bool = False
    kept: Array | None = None
    shown: Shown = "everywhere"
    equation: str = ""
    kind: Literal["matrix"] = "matrix"


@dataclass(frozen=True)
class Curves(Displayed):
    """Lines over a common axis; the terminal shows them as a table.

    Attributes:
        name: What a program calls it.
        title: What they show, in words.
        x_title, y_title: What the axes are.
        x: The positions (N,).
        lines: The values (N,) of each line, by its label.
        ordered: Whether the lines belong to growing values of one quantity.
        logarithmic: The axes that are logarithmic: "", "x", "y" or "xy".
        points: Positions and values of points to mark, by label.
        limits: The ends of the y axis in a picture; None to show everything.
        shown: Where they are shown.
        equation: The number of the equation that they are about.
    """

    name: str
    title: str
    x_title: str
    y_title: str
    x: Array
    lines: dict[str, Array]
    ordered: bool = False
    logarithmic: str = ""
    points: dict[str, tuple[Array, Array]] = field(default_factory=dict)
    limits: tuple[float, float] | None = None
    shown: Shown = "everywhere"
    equation: str = ""
    kind: Literal["curves"] = "curves"


Part = Statement | Table | Matrix | Curves


@dataclass(frozen=True)
class ExplainedNetwork:
    """The network and the text of an explanation.

    Attributes:
        name: Where the weights come from.
        trained: Whether they are those of a checkpoint.
        text: The characters that are read and predicted.
        activation: Name of the activation.
        hidden_size: H.
        layers: L.
        alphabet_size: A.
        layer: The layer that is shown, from 1.
        step: The step that is shown in detail, from 1.
    """

    name: str
    trained: bool
    text: str
    activation: str
    hidden_size: int
    layers: int
    alphabet_size: int
    layer: int
    step: int


@dataclass(frozen=True)
class Explanation(Displayed):
    """One topic of `explain`.

    Attributes:
        topic: Its name.
        title: What it shows, in words.
        network: What the numbers are of.
        parts: What is shown, in order.
    """

    topic: str
    title: str
    network: ExplainedNetwork
    parts: list[Part]
