"""Whether the program runs in a notebook."""

import sys


def in_notebook() -> bool:
    """Whether the kernel of a notebook runs this, such as that of Jupyter, VS Code or Colab.

    IPython in a terminal is none, and IPython is not imported to find out.
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None
