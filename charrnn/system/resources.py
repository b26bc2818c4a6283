"""Paths of the bundled texts, the built-in configs, and the lists of texts known by name."""

import os
from pathlib import Path

CORPUS_NAME = "farrow-quay"
TEXTS_VARIABLE = "CHARRNN_TEXTS"
PLAN = "plan"  # a table beside the configs


def _folder(name: str) -> Path:
    """A data folder: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def text_resources() -> dict[str, Path]:
    """The paths of the bundled texts, by name."""
    return {path.stem: path for path in sorted(_folder("data").glob("*.txt"))}


def schema_path() -> Path:
    """The path of the JSON schema of configs."""
    return _folder("configs") / "schema.json"


def known_texts_path() -> Path:
    """The path of the list of texts that can be downloaded by name."""
    return _folder("data") / "texts.yaml"


def own_list() -> Path:
    """The path of the user's own list of texts, where there may be none."""
    import platformdirs  # not at every start of the program

    chosen = os.environ.get(TEXTS_VARIABLE)
    return Path(chosen or platformdirs.user_config_path("charrnn", appauthor=False) / "texts.yaml")


def config_paths() -> dict[str, Path]:
    """The paths of the built-in configs, by name."""
    paths = sorted(_folder("configs").glob("*.yaml"))
    return {path.stem: path for path in paths if path.stem != PLAN}


def plan_path() -> Path:
    """The path of the table from which `train` chooses what is not given."""
    return _folder("configs") / f"{PLAN}.yaml"
