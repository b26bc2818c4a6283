"""From paths to the texts of files, with what was changed on the way."""

from typing import NamedTuple

from charrnn.errors import InputError
from charrnn.text.decoding import Decoder, Decoding, Found
from charrnn.text.sources import files_of, label_of, opened
from charrnn.text.text import Text
from charrnn.wording import pluralize

PLAIN = Decoding()


class Reading(NamedTuple):
    """The text of each file that is not empty, and what the reader should know about them."""

    documents: list[Text]
    notes: tuple[str, ...]

    @property
    def text(self) -> Text:
        """All of them, one after another."""
        return Text.joined(self.documents)


def read_text(paths: list[str], decoding: Decoding = PLAIN) -> Reading:
    """The contents of files in order, of directories by their sorted paths; "-" is standard input.

    Raises: InputError where a file is missing, binary or in another encoding, or all are empty.
    """
    texts: list[Text] = []
    found: list[tuple[str, Found]] = []
    empty: list[tuple[str, Found]] = []
    remarks = []
    for path in paths:
        files, passed_over = files_of(path)
        if files != [path]:
            remark = f"{path}: {pluralize(len(files), 'file')} read"
            if passed_over:
                remark += f"; {passed_over:,} passed over, links to folders or nowhere and the like"
            remarks.append(remark + ".")
        for file in files:
            text, notes = _read(file, decoding)
            if text:
                texts.append(text)
            (found if text else empty).append((label_of(file), notes))
    if not texts:
        raise _empty(empty)
    if empty:
        remarks.append(f"{_who(empty)}: empty, left out.")
    return Reading(texts, (*remarks, *_remarks(found)))


def _read(path: str, decoding: Decoding) -> tuple[Text, Found]:
    with opened(path) as file:
        decoder = Decoder(file, label_of(path), decoding)
        try:
            return Text.of_pieces(decoder), decoder.found
        except ValueError:
            raise InputError(
                f"{label_of(path)} was changed while it was read.", "try again."
            ) from None


def _empty(found: list[tuple[str, Found]]) -> InputError:
    what = f"{found[0][0]} is empty" if len(found) == 1 else f"all {len(found):,} files are empty"
    but = " but for a byte order mark" if any(notes.marked for _, notes in found) else ""
    return InputError(f"{what}{but}.", "give a text of some kilobytes at least.")


def _remarks(found: list[tuple[str, Found]]) -> list[str]:
    """One remark of each kind, however many files it is about."""
    remarks = []
    if own := [(label, notes) for label, notes in found if notes.marked]:
        remarks.append(f"{_who(own)}: a byte order mark was left out.")
    for mark in sorted({notes.other_mark for _, notes in found if notes.other_mark}):
        own = [(label, notes) for label, notes in found if notes.other_mark == mark]
        remarks.append(
            f"{_who(own)}: the byte order mark of {mark} was read as text; is it --encoding {mark}?"
        )
    if own := [(label, notes) for label, notes in found if notes.returns]:
        crlf = sum(notes.crlf for _, notes in own)
        alone = sum(notes.returns for _, notes in own) - crlf
        remarks.append(
            f"{_who(own)}: {pluralize(crlf + alone, 'line end')} with carriage return read as \\n "
            f"({crlf:,} CR LF, {alone:,} CR alone)."
        )
    if own := [(label, notes) for label, notes in found if notes.wrong]:
        wrong = pluralize(sum(notes.wrong for _, notes in own), "invalid byte sequence")
        first = f"at offset {own[0][1].first_wrong:,}" + f" of {own[0][0]}" * (len(own) > 1)
        remarks.append(f"{_who(own)}: {wrong} read as U+FFFD, the first {first}.")
    if own := [(label, notes) for label, notes in found if notes.nul]:
        nul = pluralize(sum(notes.nul for _, notes in own), "NUL character")
        remarks.append(f"{_who(own)}: {nul} read as U+FFFD.")
    return remarks


def _who(found: list[tuple[str, Found]]) -> str:
    """The file that a remark is about, or how many, and the first."""
    first = found[0][0]
    return first if len(found) == 1 else f"{len(found):,} files ({first} is the first)"
