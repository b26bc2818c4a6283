"""The part of a page in which a model writes, and a page of nothing else."""

import base64
import json
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup

from charrnn.arrays import Array
from charrnn.report.page_source import content_policy, page_source, templates
from charrnn.results import PlayableModel
from charrnn.system.escaping import drawable, shortened
from charrnn.wording import activation_name, pluralize

# in one scope: each uses those before it, and functions of all
SCRIPTS = ("network.js", "reading.js", "play.js", "show.js", "controls.js")
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

    markup: Markup
    style: Markup
    data: Markup
    script: Markup


def player(model: PlayableModel, *, alone: bool = False) -> Player:
    """Makes the part of a page in which a model writes.

    Args:
        model: The model.
        alone: Whether there is nothing else in the page, so that its title is the page's.
    """
    section = templates().get_template("play.html")
    script = "".join(page_source(name) for name in SCRIPTS)
    document = json.dumps(_document(model)).translate(UNSAFE)
    return Player(
        markup=Markup(section.render(alone=alone, name=_shown(model.name), about=_about(model))),
        style=Markup(page_source("play.css")),
        data=Markup(f'<script type="application/json" id="play-model">{document}</script>'),
        script=Markup(f"(() => {{\n{script}}})();\n"),
    )


def player_page(model: PlayableModel) -> str:
    """Makes a page, a single file, in which a model writes. It can load and send nothing."""
    part = player(model, alone=True)
    style = Markup(page_source("play_page.css")) + part.style
    policy = content_policy([part.script], [style])
    page = templates().get_template("play_page.html")
    return page.render(policy=policy, name=_shown(model.name), style=style, player=part)


def _document(model: PlayableModel) -> dict[str, Any]:
    """The model as values of JSON, its arrays as base64 of float32 in little-endian order."""

    def encoded(array: Array) -> str:
        with np.errstate(over="ignore"):  # an overflow in float64 is one in float32
            array = array.astype("<f4")
        return base64.b64encode(array.tobytes()).decode()

    return {
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
        f"A recurrent network of {network} and {pluralize(model.size, 'weight')}, trained for "
        f"{pluralize(model.steps, 'step')} to predict the next character of {texts} "
        f"({characters}). It runs in this page, and nothing that you type leaves it."
    )


def _shown(name: str) -> str:
    return shortened(drawable(name))
