"""`charrnn sample`."""

from typing import Annotated, Literal

import typer

from charrnn.cli.options import JsonOption

SEPARATOR = "-----"


def sample_command(
    checkpoint: Annotated[
        str, typer.Argument(help="A checkpoint file, or a run directory: its best.")
    ],
    prime: Annotated[str | None, typer.Option(metavar="TEXT", help="Begin with this text.")] = None,
    prime_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Begin with the text of a file.")
    ] = None,
    length: Annotated[
        int, typer.Option(metavar="N", min=0, help="Characters to write after the beginning.")
    ] = 500,
    temperature: Annotated[
        float, typer.Option(metavar="X", min=0, help="Below 1 safer, above 1 wilder, 0 greedy.")
    ] = 1.0,
    top_k: Annotated[
        int | None, typer.Option(metavar="K", min=1, help="Only the K likeliest characters.")
    ] = None,
    top_p: Annotated[
        float,
        typer.Option(metavar="P", min=0, max=1, help="Only the likeliest that reach P together."),
    ] = 1.0,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of the random numbers.")] = 1,
    count: Annotated[
        int, typer.Option(metavar="N", min=1, help="Texts to write, with ----- between them.")
    ] = 1,
    until: Annotated[
        str | None, typer.Option(metavar="STRING", help="Stop after this string was written.")
    ] = None,
    unknown: Annotated[
        Literal["error", "skip"],
        typer.Option(help="What to do with characters of the beginning that the model lacks."),
    ] = "error",
    json: JsonOption = False,
) -> None:
    """Write text with a model: the beginning given, and what follows."""
    import sys
    from collections.abc import Iterator
    from itertools import chain, islice
    from math import isfinite

    from charrnn.cli.output import write_json
    from charrnn.errors import InputError, UsageError
    from charrnn.loading import load_model
    from charrnn.sampling import chooser, default_prime, generate, prompt, stream, until_string
    from charrnn.text.reading import read_text

    if prime is not None and prime_file is not None:
        raise UsageError("--prime and --prime-file are both given.", "choose one of them.")
    if until == "":
        raise UsageError("--until is empty.", "leave it out, or give a string to stop after.")
    if not isfinite(temperature):
        raise UsageError(f"--temperature {temperature} is no number.", "such as 0.8")
    if prime_file is not None:
        try:
            prime = read_text([prime_file]).text
        except InputError as error:
            raise UsageError(f"--prime-file: {error}", error.hint) from None
    model = load_model(checkpoint)
    vocabulary = model.vocabulary
    beginning = prompt(vocabulary, prime or "", unknown)
    ids = vocabulary.lookup(beginning or default_prime(vocabulary))
    choose = chooser(temperature, top_k, top_p)

    def continuation(number: int) -> Iterator[str]:
        drawn = generate(model.params, model.activation, ids, choose, stream(seed, number))
        return until_string((vocabulary.characters[i] for i in islice(drawn, length)), until)

    if json:
        texts = [beginning + "".join(continuation(number)) for number in range(count)]
        write_json({"checkpoint": model.path, "prime": beginning, "seed": seed, "texts": texts})
        return
    for number in range(count):
        last = ""
        if number:
            sys.stdout.write("\n" + SEPARATOR + "\n")
        for last in chain([beginning], continuation(number)):
            sys.stdout.write(last)
            sys.stdout.flush()
        if sys.stdout.isatty() and not last.endswith("\n"):
            sys.stdout.write("\n")
