"""Pages as a parser reads them, and a run that tries to inject something into its page."""

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

from charrnn.cli import main
from tests.conftest import TINY

PAYLOADS = (
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 2'>",
    "\"><svg onload=window.hacked=3>",
    "javascript:window.hacked=4//",
    "{{ 7 * 7 }}{% raw %}<!--]]>",
    "a\u2028b\u2029c\u202ed\u2066e\u200ff",
    "\ufeff\x7f&lt;b&gt;&amp;",
)  # fmt: skip
TAGS = {  # of the elements that a page is made of
    "html", "head", "meta", "title", "style", "body", "header", "main", "section", "footer", "nav",
    "aside", "article", "h1", "h2", "h3", "p", "a", "b", "i", "strong", "code", "pre", "span",
    "div", "dl", "dt", "dd", "ul", "ol", "li", "table", "caption", "thead", "tbody", "tr", "th",
    "td", "figure", "figcaption", "output", "bdi", "label", "select", "option", "script", "svg",
    "g", "path", "line", "rect", "circle", "text", "textarea", "input", "button", "details",
    "summary", "noscript", "canvas", "em", "small",
}  # fmt: skip
LOGGED = ("nul \x00 \x1b[31m\x9b bell \x07", "half \ud800 pair", "\uffff")


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the content of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[str, dict[str, str | None], str]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))
        if tag in ("script", "style"):
            self.raw.append((tag, dict(attributes), ""))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem in ("script", "style"):  # newer parsers name title and textarea too
            tag, attributes, content = self.raw[-1]
            self.raw[-1] = (tag, attributes, content + data)
        else:
            self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]

    def data(self, identifier: str) -> dict:
        """The JSON of a script element."""
        (content,) = (raw for _, attributes, raw in self.raw if attributes.get("id") == identifier)
        return json.loads(content)


def hostile_run(folder: Path) -> Path:
    """A run whose names, text, vocabulary, samples, config and numbers attack its page."""
    folder = folder / PAYLOADS[1]
    folder.mkdir(parents=True)
    text, run = folder / "'\"><b>&.txt", folder / '"><script>window.hacked=5<'
    text.write_text(("".join(PAYLOADS) + "\nand so on\n") * 40, encoding="utf-8")
    assert main.run(["train", str(text), *TINY, "--max-steps", "30", "--out", str(run)]) == 0
    config, log = run / "config.yaml", run / "metrics.jsonl"
    patterns = json.dumps(list(PAYLOADS[:6]))
    config.write_text(config.read_text().replace("include: []", f"include: {patterns}"))
    lines = [json.loads(line) for line in log.read_text().split("\n")[:-1]]
    step = next(line for line in lines if line["event"] == "step")
    for number, payload in enumerate((*PAYLOADS, *LOGGED)):
        lines.append({"event": "sample", "step": 40 + number, "text": payload})
    for value in (1e308, -1e308, 1e-320, 0.0, -5.0):
        lines.append(step | {"step": 31, "gradient_norm": value, "nats_per_character": value})
    lines.append(step | {"step": 10**300, "characters_per_second": 1e308, "seconds": 1e308})
    lines.append({"event": "lag_profile", "step": 31, "norms": [], "rate": 1.0, "half_life": None})
    for step_number in (32, 33, 34):
        norms = [0.0, 1e308, -1.0, 1e-320]
        profile = {"step": step_number, "norms": norms, "rate": 1e308, "half_life": None}
        lines.append({"event": "lag_profile", **profile})
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run


def copy_of(run: Path, folder: Path) -> Path:
    """A copy of a run, to be changed."""
    return Path(shutil.copytree(run, folder))
