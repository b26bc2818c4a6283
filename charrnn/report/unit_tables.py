"""Prints what the hidden units of a model follow, as tables."""

from rich.console import RenderableType
from rich.text import Text

from charrnn.report.terminal import first_that_fits, print_line, table_console, table_of
from charrnn.results import UnitCorrelation, UnitReport
from charrnn.wording import pluralize

LEFT = ("follows", "also", "feature")
# columns to leave out on a narrow terminal, tried in this order
OMITTED: tuple[tuple[str, ...], ...] = ((), ("chance",), ("chance", "also", "its r"))


def print_units(report: UnitReport) -> None:
    """Prints the units that follow a feature most closely, and the closest unit to each feature."""
    console = table_console()
    what = f"{pluralize(report.state_size, 'hidden unit')} on {report.characters:,} characters"
    print_line(console, f"{what}: the correlation r of a unit's state with features of the text")
    alone = ("layer",) if report.depth == 1 else ()
    by_unit, by_feature = _by_unit(report), _by_feature(report)
    for title, rows in (
        ("the units that follow a feature most closely", by_unit),
        ("the unit that follows each feature most closely", by_feature),
    ):
        if rows:
            console.print()
            print_line(console, title, "bold")
            tables = (table_of("", rows, LEFT, (*alone, *omitted)) for omitted in OMITTED)
            console.print(first_that_fits(console, tables))
    print_line(
        console,
        "chance: the largest r of any unit with the feature shifted along the text, so that it has "
        "nothing to do with the states; r in parentheses is not beyond it",
    )


def _by_unit(report: UnitReport) -> list[dict[str, RenderableType]]:
    rows = []
    for unit, layer, found in zip(report.units, report.layers, report.features, strict=True):
        row: dict[str, RenderableType] = {"unit": f"{unit + 1}", "layer": f"{layer}"}
        for name, r, number in (("follows", "r", 0), ("also", "its r", 1)):
            one = found[number] if number < len(found) else None
            row |= {name: Text(one.feature) if one else "", r: _number(one) if one else ""}
        rows.append(row)
    return rows


def _by_feature(report: UnitReport) -> list[dict[str, RenderableType]]:
    followers = sorted(report.followers, key=lambda one: -abs(one.found.correlation))
    return [
        {
            "feature": Text(one.found.feature),
            "unit": f"{one.unit + 1}",
            "layer": f"{one.layer}",
            "r": _number(one.found),
            "chance": f"{one.found.chance:.2f}",
        }
        for one in followers
    ]


def _number(found: UnitCorrelation) -> Text:
    """A correlation; in parentheses if it may be due to chance."""
    shown = f"{found.correlation:+.2f}"
    return Text(shown) if found.significant else Text(f"({shown})", "dim")
