"""Writes the scores of each character of a text as CSV or JSON lines."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from charrnn.errors import UsageError
from charrnn.results import CharacterScores
from charrnn.system.escaping import harmless_json
from charrnn.system.files import replacing
from charrnn.units import BITS_PER_NAT
from charrnn.wording import setting

Row = dict[str, Any]
COLUMNS = ("position", "character", "bits", "rank")


def character_writer(path: str) -> Callable[[Iterable[CharacterScores]], None]:
    """A function that writes scores to a file, of which they need not fit into memory together.

    Each character is a row: its position in the text from 0, itself, its bits, its rank among the
    characters that the model knows, and the likeliest characters with their probabilities. The
    first character of a stream, which is not predicted, has neither bits nor a rank.

    Raises:
        UsageError: The file is neither .csv nor .jsonl.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in WRITERS:
        raise UsageError(
            f"{setting('per_character', path)} is neither .csv nor .jsonl.",
            f"such as {setting('per_character', path + '.csv')}",
        )

    def write(pieces: Iterable[CharacterScores]) -> None:
        with replacing(Path(path)) as file:
            text = TextIOWrapper(file, "utf-8", errors="surrogatepass", newline="")
            remaining = iter(pieces)
            first = next(remaining)
            WRITERS[suffix](_rows(chain([first], remaining)), first.likeliest.shape[1], text)
            text.flush()
            text.detach()

    return write


def _rows(pieces: Iterable[CharacterScores]) -> Iterator[Row]:
    position = 0
    for piece in pieces:
        names = np.array(piece.characters, dtype=object)[piece.likeliest]
        columns = (piece.nats * BITS_PER_NAT, piece.ranks, piece.probabilities)
        for character, likeliest, bits, rank, probabilities in zip(
            piece.text, names.tolist(), *(column.tolist() for column in columns), strict=True
        ):
            yield {
                "position": position,
                "character": character,
                "bits": bits if rank else None,
                "rank": rank or None,
                "likeliest": [*zip(likeliest, probabilities, strict=True)] if rank else [],
            }
            position += 1


def _write_csv(rows: Iterable[Row], count: int, file: TextIO) -> None:
    # csv would quote no carriage return by itself, which readers take for the end of a line
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    pairs = [f"{name}_{n}" for n in range(1, count + 1) for name in ("likely", "p")]
    writer.writerow([*COLUMNS, *pairs])
    for row in rows:
        likeliest = [value for pair in row["likeliest"] or [(None, None)] * count for value in pair]
        writer.writerow([*(row[column] for column in COLUMNS), *likeliest])


def _write_json_lines(rows: Iterable[Row], count: int, file: TextIO) -> None:
    for row in rows:
        file.write(harmless_json(json.dumps(row, ensure_ascii=False)) + "\n")


WRITERS = {".csv": _write_csv, ".jsonl": _write_json_lines}
