"""The floors of the house: a module imports from its own floor or from those listed here."""

import ast
from pathlib import Path

import pytest

import charrnn

PACKAGE = Path(charrnn.__file__).parent

GROUND = {"blas", "config", "errors", "events", "files", "machine", "resources", "terminal"}
GROUND |= {"findings", "interruption", "window", "words"}
ROOF = {"jobs", "cli", "__main__"}
FLOORS = {
    **dict.fromkeys(GROUND, "ground"),
    "": "ground",
    "model": "model",
    "text": "text",
    "optim": "optim",
    "analysis": "analysis",
    "training": "training",
    "sampling": "training",
    "report": "report",
    **dict.fromkeys(ROOF, "roof"),
}
BELOW = {
    "ground": set(),
    "model": {"ground"},
    "text": {"ground"},
    "optim": {"ground", "model"},
    "analysis": {"ground", "model"},
    "training": {"ground", "model", "text", "optim"},
    "report": {"ground", "training", "analysis"},
    "roof": {"ground", "model", "text", "optim", "analysis", "training", "report"},
}
ONLY_IN = {
    "typer": {"cli"},
    "rich": {"report"},
    "matplotlib": {"report"},
    "yaml": {"config"},
    "pydantic": {"config"},
    "pydantic_core": {"config"},
    "safetensors": {"training"},
    "threadpoolctl": {"blas"},
}


def room(module: str) -> str:
    """The part of the house that a dotted module name lies in."""
    return [*module.split("."), ""][1]


def modules() -> dict[str, set[str]]:
    """Every module with all that it imports, wherever in the file the import stands."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        imported = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{name}: relative import"
                imported.add(node.module or "")
        found[name.removesuffix(".__init__")] = imported
    return found


MODULES = modules()


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down_the_floors_only(module: str) -> None:
    assert room(module) in FLOORS, f"{module} is on no floor"
    floor = FLOORS[room(module)]
    for imported in MODULES[module]:
        if imported.split(".")[0] == "charrnn":
            target = FLOORS[room(imported)]
            assert target == floor or target in BELOW[floor], f"{module} imports {imported}"
        else:
            allowed = ONLY_IN.get(imported.split(".")[0])
            assert allowed is None or room(module) in allowed, f"{module} imports {imported}"


@pytest.mark.parametrize("module", MODULES)
def test_the_config_is_read_under_the_roof_only(module: str) -> None:
    reads = {imported for imported in MODULES[module] if room(imported) == "config"}
    assert not reads or room(module) in {"config", *ROOF}


def test_no_circles() -> None:
    remaining = {
        name: {i for i in imported if i in MODULES and i != name}
        for name, imported in MODULES.items()
    }
    while remaining:
        free = [name for name, needs in remaining.items() if not needs & remaining.keys()]
        assert free, f"a circle among {sorted(remaining)}"
        for name in free:
            del remaining[name]


def test_small_rooms() -> None:
    lengths = sorted(len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py"))
    assert lengths[-1] <= 300
    assert lengths[len(lengths) // 2] <= 150


def test_help_needs_no_numpy() -> None:
    """Importing the command line costs nothing heavy, so help answers at once."""
    import subprocess
    import sys

    script = (
        "import sys, charrnn.cli.main; "
        "print({'numpy', 'pydantic', 'safetensors', 'rich.live'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr
