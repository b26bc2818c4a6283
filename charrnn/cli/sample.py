"""`charrnn sample`."""

from typing import Annotated

import typer

from charrnn.cli.options import CheckpointArgument, JsonOption, UnknownOption

SEPARATOR = "\n-----\n"


def sample_command(
    checkpoint: CheckpointArgument,
    prime: Annotated[str | None, typer.Option(metavar="TEXT", help="Prompt to continue.")] = None,
    prime_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="File with the prompt to continue.")
    ] = None,
    length: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, max=10**9, help="Characters to generate after the prompt."
        ),
    ] = 500,
    temperature: Annotated[
        float,
        typer.Option(
            metavar="X",
            min=0,
            help="0 is greedy, 1 samples from the model; 0.5–0.8 usually reads best.",
        ),
    ] = 1.0,
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
    json: JsonOption = False,
) -> None:
    """Generate text from a model, optionally continuing a prompt."""
    from dataclasses import asdict

    from charrnn.cli.output import write_json, write_notes, write_stream
    from charrnn.commands.sample import Sampler
    from charrnn.system.blas import single_threaded_blas

    sampler = Sampler(
        checkpoint,
        prime=prime,
        prime_file=prime_file,
        length=length,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        seed=seed,
        until=until,
        unknown=unknown,
    )
    write_notes(sampler.notes)
    with single_threaded_blas():
        if not json:
            write_stream(
                sampler.texts(count), *(("\n", "\n") if sampler.lines else (SEPARATOR, ""))
            )
            return
        samples = sampler.samples(count)
    write_json(asdict(samples))
