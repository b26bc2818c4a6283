"""The topics of `explain`, in the order of a lesson."""

from collections.abc import Callable
from typing import NamedTuple

from charrnn.explanation.backward import backward
from charrnn.explanation.example import Example
from charrnn.explanation.forward import forward
from charrnn.explanation.forward_mode import forward_mode
from charrnn.explanation.output import output
from charrnn.explanation.slips import slips
from charrnn.explanation.softmax import softmax_derivative
from charrnn.explanation.terms import terms
from charrnn.explanation.truncation import truncation
from charrnn.explanation.update import update
from charrnn.explanation.vanishing import vanishing
from charrnn.results import Part


class Topic(NamedTuple):
    """A topic.

    Attributes:
        title: What it shows, in words.
        equations: Their numbers in docs/equations.md.
        explain: Makes the parts for an example.
    """

    title: str
    equations: str
    explain: Callable[[Example], list[Part]]


TOPICS = {
    "forward": Topic("The network reads a text", "(1)–(6)", forward),
    "softmax": Topic("The derivative of the softmax", "(7), (8)", softmax_derivative),
    "output": Topic("The gradient of the output weights", "(9)", output),
    "backward": Topic("Back-propagation through time, step by step", "(10)–(12)", backward),
    "terms": Topic("The gradient as a double sum", "(13), (14)", terms),
    "forward-mode": Topic("The gradient forward in time", "(15), (16)", forward_mode),
    "update": Topic("One step of gradient descent", "(17)", update),
    "vanishing": Topic("Why gradients vanish or explode", "(18)", vanishing),
    "truncation": Topic("What truncated BPTT keeps", "(19)", truncation),
    "slips": Topic("Common mistakes, planted in turn", "", slips),
}
