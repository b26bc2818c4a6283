"""Where the files that travel with the program are: texts and configs."""

from pathlib import Path

CORPUS_NAME = "farrow-quay"


def _folder(name: str) -> Path:
    """In a wheel the folder lies inside the package, in a checkout beside it."""
    package = Path(__file__).parent.parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def text_resources() -> dict[str, Path]:
    """The texts that come with the program, by name."""
    return {path.stem: path for path in sorted(_folder("data").glob("*.txt"))}


def config_paths() -> dict[str, Path]:
    """The configs that come with the program, by name."""
    return {path.stem: path for path in sorted(_folder("configs").glob("*.yaml"))}
