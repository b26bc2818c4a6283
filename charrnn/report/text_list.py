"""Prints the texts that have names."""

from charrnn.report.terminal import print_line, table_console
from charrnn.results import NamedText, TextList, TextState
from charrnn.system.escaping import harmless_message

INDENT = "  "


def print_texts(found: TextList) -> None:
    """Prints some lines for each text, then where downloads and the user's own list are."""
    console = table_console()

    def line(content: str, style: str | None = None) -> None:
        print_line(console, harmless_message(content), style, hanging=len(INDENT))

    for text in found.texts:
        line(f"{text.name}  {_state(text)}", "bold")
        about = [text.description, ", ".join(filter(None, (text.licence, text.source)))]
        for words in filter(None, about):
            line(f"{INDENT}{words}")
    line("")
    for kept in found.stored:
        more = f" and {kept.others:,} more" if kept.others else ""
        missing = "; the text no longer exists" if kept.missing else ""
        line(f"{kept.path}{more}  {kept.bytes:,} bytes of ids, stored{missing}", "bold")
    if found.unfinished:
        line(
            f"{found.unfinished:,} bytes of incomplete ids, "
            "being stored or left by programs that were killed"
        )
    if found.stored or found.unfinished:
        line("")
    line(f"downloads: {found.cache}")
    line(f"ids of large texts: {found.ids}")
    line(f"your own list: {found.own_list}{'' if found.own_list_found else ', which is not there'}")


def _state(text: NamedText) -> str:
    size = "" if text.bytes is None else f"{text.bytes:,} bytes, "
    if text.state is TextState.MISSING:
        size = f"at most {text.max_bytes:,} bytes, "
    return f"{size}{text.state}{', own' * text.own}"
