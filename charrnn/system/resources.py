"""Paths of the bundled texts and the built-in configs."""

from pathlib import Path

CORPUS_NAME = "farrow-quay"


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


def config_paths() -> dict[str, Path]:
    """The paths of the built-in configs, by name."""
    return {path.stem: path for path in sorted(_folder("configs").glob("*.yaml"))}
