"""`charrnn eval`."""

from typing import Annotated, Any

import typer

from charrnn.cli import completers
from charrnn.cli.options import CheckpointArgument, JsonOption, UnknownOption, given
from charrnn.cli.settings import settings_options


@settings_options("encoding", "errors")
def eval_command(
    checkpoint: CheckpointArgument,
    text: Annotated[
        list[str],
        typer.Argument(
            metavar="TEXT",
            help="Text files, directories or names of texts; - reads stdin.",
            autocompletion=completers.texts,
        ),
    ],
    show: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            help="Print the beginning of the text in the colours of its surprisal (surprisal) or "
            "of the state of a hidden unit (such as unit:17).",
            autocompletion=completers.choice_of("surprisal"),
        ),
    ] = None,
    length: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Characters to show.  [default: 2000]"),
    ] = None,
    units: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Show the N hidden units that follow a feature of the text most closely.",
        ),
    ] = None,
    per_character: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write bits, rank and the five likeliest of each character, as .csv or .jsonl.",
        ),
    ] = None,
    block: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Score blocks of N characters, each from the zero state."
        ),
    ] = None,
    dynamic: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Score with dynamic evaluation too: a step of training at this learning rate on "
            "each window after scoring it.",
        ),
    ] = None,
    baselines: Annotated[
        bool,
        typer.Option(
            "--baselines/--no-baselines", help="Compare with counts of the training text, and xz."
        ),
    ] = True,
    unknown: UnknownOption = None,
    json: JsonOption = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Measure how well a model predicts a text."""
    from dataclasses import asdict

    from charrnn.cli.output import write_json, write_line, write_note, write_notes
    from charrnn.commands.evaluate import Evaluation
    from charrnn.commands.run_files import require_output
    from charrnn.commands.unit_views import SHOWN, require_shown, unit_view
    from charrnn.commands.units import describe_units
    from charrnn.report.character_files import character_writer
    from charrnn.report.coloured_text import print_surprisal, print_unit
    from charrnn.report.score_table import print_score
    from charrnn.report.unit_tables import print_units
    from charrnn.wording import setting

    scoring = given(block=block, dynamic=dynamic, per_character=per_character)
    require_shown(show, length)
    if (view := unit_view(show, units, length or SHOWN, scoring)) is not None:
        found, notes = describe_units(checkpoint, text, unknown, settings, **view)
        write_notes(notes)
        if json:
            write_json(asdict(found))
        else:
            print_units(found) if units else print_unit(found)
        return
    write = character_writer(per_character) if per_character is not None else None
    if per_character is not None:
        require_output(setting("per_character", per_character), per_character, text)
    evaluation = Evaluation(checkpoint, text, unknown, settings)
    write_notes(evaluation.notes)
    score = evaluation.score(block=block, dynamic=dynamic, baselines=baselines, announce=write_note)
    if write:
        write(evaluation.pieces(announce=write_note))
        write_note(f"the scores of each character are in {per_character}")
    shown = evaluation.characters(length or SHOWN) if show is not None else None
    if json:
        write_json(asdict(score) | ({"shown": asdict(shown)} if shown else {}))
        return
    if shown:
        print_surprisal(shown)
        write_line("")
    print_score(score)
