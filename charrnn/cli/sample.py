"""`charrnn sample`."""

from typing import TYPE_CHECKING, Annotated

import typer

from charrnn.cli import completers
from charrnn.cli.dialogue import converse, refuse_with_interactive
from charrnn.cli.options import CheckpointArgument, JsonOption, UnknownOption

if TYPE_CHECKING:
    from charrnn.commands.sample import Sampler

SEPARATOR = "\n-----\n"


def sample_command(
    checkpoint: CheckpointArgument,
    prime: Annotated[
        str | None, typer.Option("--prime", "-p", metavar="TEXT", help="Prompt to continue.")
    ] = None,
    prime_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="File with the prompt to continue.",
            autocompletion=completers.texts,
        ),
    ] = None,
    no_prime: Annotated[
        bool, typer.Option("--no-prime", help="Print only what is generated, not the prompt.")
    ] = False,
    length: Annotated[
        int,
        typer.Option(
            "--length",
            "-n",
            metavar="N",
            min=0,
            max=10**9,
            help="Characters to generate after the prompt.",
        ),
    ] = 500,
    temperature: Annotated[
        list[float] | None,
        typer.Option(
            "--temperature",
            "-t",
            metavar="X",
            min=0,
            show_default=False,
            help="0 is greedy, 1 samples from the model; 0.5–0.8 usually reads best. Repeatable: "
            "a text for each.  [default: 1.0]",
        ),
    ] = None,
    top_k: Annotated[
        int | None,
        typer.Option(metavar="K", min=1, help="Sample from the K most likely characters."),
    ] = None,
    top_p: Annotated[
        float,
        typer.Option(
            metavar="P",
            min=0,
            max=1,
            help="Sample from the most likely characters with total probability P.",
        ),
    ] = 1.0,
    min_p: Annotated[
        float,
        typer.Option(
            metavar="P",
            min=0,
            max=1,
            help="Sample from characters with at least P times the probability of the most likely "
            "one. Temperature, top-k, top-p and min-p act in this order.",
        ),
    ] = 0.0,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Random seed.")] = 1,
    count: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=10**6, help="Number of texts (separated by -----) or lines."
        ),
    ] = 1,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="STRING",
            help=r"Stop after generating this string; \n, \t, \r, \\, \xNN and \uNNNN are escapes.",
        ),
    ] = None,
    unknown: UnknownOption = None,
    novelty: Annotated[
        bool,
        typer.Option("--novelty", help="Show how much of the texts occurs in the training text."),
    ] = False,
    novel_only: Annotated[
        bool,
        typer.Option(
            "--novel-only", help="Leave out texts, lines or documents of the training text."
        ),
    ] = False,
    text: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Text to compare with. Repeatable.  [default: the model's training text]",
            autocompletion=completers.texts,
        ),
    ] = None,
    interactive: Annotated[
        bool,
        typer.Option("--interactive", help="Write a text in turn with the model, line by line."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Generate text from a model, optionally continuing a prompt."""
    from dataclasses import asdict

    from charrnn.cli.output import write_json, write_note, write_notes
    from charrnn.commands.dialogue_lines import DialogueLines
    from charrnn.commands.sample import Sampler
    from charrnn.system.blas import single_threaded_blas

    if interactive:
        refuse_with_interactive(
            json=json, novelty=novelty, novel_only=novel_only, text=text, count=count > 1
        )
    sampler = Sampler(
        checkpoint,
        prime=prime,
        prime_file=prime_file,
        length=length,
        temperature=temperature or [1.0],
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        seed=seed,
        until=until,
        unknown=unknown,
        show_prime=not no_prime,
        novelty=novelty,
        novel_only=novel_only,
        text=text or [],
        announce=write_note,
    )
    write_notes(sampler.notes)
    with single_threaded_blas():
        if interactive:
            converse(DialogueLines(sampler.dialogue(), show_line=not no_prime), sampler.prompt)
            return
        if json:
            write_json(asdict(sampler.samples(count)))
        else:
            _write(sampler, count, novelty)
    sampler.require_found(count)


def _write(sampler: "Sampler", count: int, novelty: bool) -> None:
    """Writes the texts as they are generated, those of several temperatures below headings."""
    from charrnn.cli.output import write_line, write_stream
    from charrnn.report.novelty import print_novelty

    several = len(sampler.temperatures) > 1
    separator, end = ("\n", "\n") if sampler.lines else (SEPARATOR, "\n" * (several or novelty))
    for number, temperature in enumerate(sampler.temperatures):
        if several:
            write_line("\n" * (number > 0) + f"----- temperature {temperature:g} -----")
        write_stream(sampler.texts(count, temperature), separator, end)
    if novelty:
        write_line("")
        print_novelty(sampler.novelty())
