"""What `import charrnn` offers: the commands as functions, and objects for runs and models."""

from charrnn.results import show_with


def _as_html(result: object) -> str:
    from charrnn.report.html import html_of  # which imports more than most programs need

    return html_of(result)


show_with(_as_html)
