"""The part of a page in which a model writes, and a page of nothing else."""

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from typing import Any, NamedTuple

from charrnn.results import PlayableModel
from charrnn.system.escaping import drawable, shortened
from charrnn.wording import activation_name, pluralize

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{markup}</main>
{data}
<script>{script}</script>
</body>
</html>
"""
# of a page with nothing else around
BODY = """
html { background: #fff; }
@media (prefers-color-scheme: dark) { html { background: #17171b; } }
body { margin: 0 auto; padding: 1rem 16px 3rem; max-width: 64rem; }
"""
# what would end the element or start a comment in it; the rest is ASCII
UNSAFE = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


class Player(NamedTuple):
    """The part of a page in which a model writes.

    Attributes:
        markup: HTML, a section.
        style: CSS.
        data: HTML, a script element with the model, before the script.
        script: JavaScript, to be run after both.
    """

    markup: str
    style: str
    data: str
    script: str


def player(model: PlayableModel) -> Player:
    """Makes the part of a page in which a model writes."""
    script = "".join(_source(name) for name in ("network.js", "reading.js", "play.js"))
    document = json.dumps(_document(model)).translate(UNSAFE)
    return Player(
        markup=_source("play.html"),
        style=_source("play.css"),
        data=f'<script type="application/json" id="play-model">{document}</script>',
        script=f"(() => {{\n{script}}})();\n",
    )


def player_page(model: PlayableModel) -> str:
    """Makes a page, a single file, in which a model writes. It can load and send nothing."""
    part = player(model)
    style = BODY + part.style
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"script-src {_hash(part.script)}; style-src {_hash(style)}"
    )
    return PAGE.format(
        policy=policy,
        title=escape(f"{_shown(model.name)}: a network that writes"),
        style=style,
        markup=part.markup,
        data=part.data,
        script=part.script,
    )


def _source(name: str) -> str:
    return (files("charrnn") / "page" / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    """What a policy allows this content of an element by."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _document(model: PlayableModel) -> dict[str, Any]:
    """The model as values of JSON, its arrays as base64 of float32 in little-endian order."""

    def encoded(array: Any) -> str:
        return base64.b64encode(array.astype("<f4").tobytes()).decode()

    return {
        "about": _about(model),
        "activation": model.activation,
        "hidden_size": model.hidden_size,
        "layers": model.layers,
        "characters": model.characters,
        "weights": {name: encoded(array) for name, array in model.weights.items()},
        "start": None if model.start is None else encoded(model.start),
        "opening": model.opening,
        "delimiter": model.delimiter,
        "replacement": model.replacement,
    }


def _about(model: PlayableModel) -> str:
    """What this is, in sentences."""
    units = pluralize(model.hidden_size, f"{activation_name(model.activation)} unit")
    network = units if model.layers == 1 else f"{model.layers} layers of {units}"
    names = [_shown(name) for name in model.texts]
    if len(names) > 3:
        names[2:] = [pluralize(len(names) - 2, "other")]
    texts = " and ".join([", ".join(names[:-1])] * (len(names) > 1) + names[-1:])
    characters = pluralize(model.text_size, "character")
    return (
        f"A recurrent network of {network} ({pluralize(model.size, 'weight')}) that has learned to "
        f"predict the next character of {texts} ({characters}) in "
        f"{pluralize(model.steps, 'step')}. It runs in this page, and nothing that you type "
        "leaves it."
    )


def _shown(name: str) -> str:
    return shortened(drawable(name))
