"""A module imports only from its own package and from those listed here."""

import ast
from pathlib import Path

import pytest

import charrnn

PACKAGE = Path(charrnn.__file__).parent

# each package with the packages below it that it may import
GROUND = {
    "",
    "arrays",
    "errors",
    "events",
    "keywords",
    "log_lines",
    "results",
    "sweep_events",
    "units",
    "window",
    "wording",
}
IMPORTS: dict[str, set[str]] = {
    **{name: set() for name in GROUND},
    "system": set(),
    "config": {"system"},
    "model": set(),
    "text": {"system"},
    "optim": {"model"},
    "analysis": {"model"},
    "explanation": {"model", "optim", "analysis"},
    "training": {"system", "model", "text", "optim"},
    "interchange": {"system", "model", "text", "training"},
    "sampling": {"model", "text"},
    "report": {"system"},
    "trackers": {"system"},
    "setup": {"system", "config", "model", "text", "optim", "analysis", "training", "sampling"},
    "runs": {"system", "config", "model", "text", "optim", "analysis", "training", "sampling"},
    "commands": {"system", "config", "model", "text", "optim", "analysis", "training", "sampling"},
    "cli": {"system", "report", "commands"},
    "library": {"system", "config", "model", "text", "analysis", "training", "report", "commands"},
    "__main__": {"system", "cli"},
}
IMPORTS["setup"] |= {"interchange"}
IMPORTS["commands"] |= {"interchange"}
IMPORTS["setup"] |= {"trackers"}
IMPORTS["runs"] |= {"setup"}
IMPORTS["sweeps"] = IMPORTS["runs"] | {"runs"}
IMPORTS["commands"] |= {"setup", "runs", "sweeps", "explanation", "trackers"}
IMPORTS["library"] |= {"setup", "runs"}
IMPORTS[""] = {"library", "training"}  # whose names it hands on
ONLY_IN = {
    "typer": {"cli"},
    "rich": {"report"},
    "matplotlib": {"report"},
    "jinja2": {"report"},
    "plotext": {"report"},
    "yaml": {"config"},
    "pydantic": {"config", "setup"},
    "pydantic_core": {"config", "setup"},
    "safetensors": {"training", "interchange"},
    "threadpoolctl": {"system"},
    "mpi4py": {"system"},
    "numba": {"model", "setup"},
    "optuna": {"sweeps"},
    "sqlalchemy": {"sweeps"},
}


def package_of(module: str) -> str:
    """The subpackage or module of charrnn that contains a dotted name."""
    return [*module.split("."), ""][1]


class _RunTime(ast.NodeTransformer):
    """Leaves out what is imported for type checkers only."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        only_for_types = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return None if only_for_types else self.generic_visit(node)


def imports_of(source: str, run_time: bool = False) -> set[str]:
    """The dotted names that Python code imports, anywhere in it, or when it runs."""
    imported = set()
    tree = ast.parse(source)
    for node in ast.walk(_RunTime().visit(tree) if run_time else tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            # in `from charrnn import cli` the name is a module
            imported |= {f"{node.module}.{alias.name}" for alias in node.names}
    return imported


def modules(run_time: bool = False) -> dict[str, set[str]]:
    """Every module of charrnn, with the names that it imports."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = imports_of(
            path.read_text(encoding="utf-8"), run_time
        )
    return found


MODULES = modules()
VERSION = "charrnn.__version__"


def module_of(name: str) -> str:
    """The module that defines an imported name; outside charrnn, the name itself."""
    while name.startswith("charrnn.") and name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def faults(module: str, imported: set[str]) -> list[str]:
    """The imports of a module that its package may not make."""
    if package_of(module) not in IMPORTS:
        return [f"{module} is in no known package"]
    allowed = GROUND | IMPORTS[package_of(module)] | {package_of(module)}
    # what `import charrnn` offers is for its users
    handed_on = {name for name in imported if module_of(name) == "charrnn" and name != VERSION}
    found = [f"{module} imports {name}" for name in sorted(handed_on)]
    for name in sorted(map(module_of, imported)):
        top = name.split(".")[0]
        if top == "charrnn" and package_of(name) not in allowed:
            found.append(f"{module} imports {name}")
        if package_of(module) not in ONLY_IN.get(top, {package_of(module)}):
            found.append(f"{module} imports {name}, which is for {ONLY_IN[top]} only")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_packages_import_only_what_is_allowed(module: str) -> None:
    assert not faults(module, MODULES[module])


@pytest.mark.parametrize(
    ("module", "planted"),
    [
        ("charrnn.model.rnn", "from charrnn import cli, training"),
        ("charrnn.model.rnn", "from charrnn.text import corpus"),
        ("charrnn.training.trainer", "def f():\n    import charrnn.analysis.flow"),
        ("charrnn.report.console", "from charrnn.config.settings import Config"),
        ("charrnn.setup.wiring", "from charrnn.runs.start import Run"),
        ("charrnn.runs.train", "from charrnn.commands import train"),
        ("charrnn.commands.train", "from charrnn.cli.options import given"),
        ("charrnn.cli.train", "from charrnn.model.bptt import bptt"),
        ("charrnn.cli.train", "from charrnn.library.training import train"),
        ("charrnn.library.run", "from charrnn.cli.output import write_line"),
        ("charrnn.runs.train", "from charrnn import load"),
        ("charrnn.report.page", "import charrnn"),
        ("charrnn.commands.train", "from charrnn.library.run import Run"),
        ("charrnn.wording", "from charrnn import system"),
        ("charrnn.runs.train", "from rich.console import Console"),
        ("charrnn.nowhere", "import math"),
    ],
)
def test_a_forbidden_import_is_found(module: str, planted: str) -> None:
    assert faults(module, imports_of(planted))


def test_no_circular_imports() -> None:
    remaining = {
        name: {module_of(i) for i in imported} & MODULES.keys() - {name}
        for name, imported in modules(run_time=True).items()
    }
    while remaining:
        free = [name for name, needs in remaining.items() if not needs & remaining.keys()]
        assert free, f"a circle among {sorted(remaining)}"
        for name in free:
            del remaining[name]


def test_modules_are_short() -> None:
    lengths = sorted(len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py"))
    assert lengths[-1] <= 300
    assert lengths[len(lengths) // 2] <= 150


def test_help_needs_no_numpy() -> None:
    """Importing the command line imports no heavy packages, so --help is fast."""
    import subprocess
    import sys

    script = (
        "import sys, charrnn.cli.main; "
        "print({'numpy', 'pydantic', 'safetensors', 'rich.live'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr
