"""The benchmarks run at small sizes, and compare only equal results."""

import runpy
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def run(script: str, *arguments: object) -> str:
    command = [sys.executable, str(BENCHMARKS / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_page_is_written_and_the_text_around_it_kept(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    for expected in ("# Performance", "# Mine"):
        run("performance.py", "--smoke", "--out", tmp_path)
        assert page.read_text().startswith(expected)
        assert "| 4, 3, 8, 7 |" in page.read_text()
        assert (tmp_path / "performance.png").read_bytes().startswith(b"\x89PNG")
        page.write_text(page.read_text().replace("# Performance", "# Mine"))
    assert page.read_text().count("| 4, 3, 8, 7 |") == 1


@pytest.mark.parametrize("what", ["loss", "norm", "probe"])
def test_sides_that_differ_are_not_compared(what: str) -> None:
    check = runpy.run_path(str(BENCHMARKS / "performance.py"))["check"]
    ours = {"loss": 4.0, "gradient": {"W": [1.0, 0.1], "b": [0.5, 0.2]}}
    theirs = deepcopy(ours)
    check({"charrnn": ours, "other": theirs}, (1, 1, 1, 1))
    if what == "loss":
        theirs["loss"] = 4.1
    else:
        theirs["gradient"]["W"][what == "probe"] += 0.01
    with pytest.raises(SystemExit, match=f"other differs.*in {'loss' if what == 'loss' else 'W'}"):
        check({"charrnn": ours, "other": theirs}, (1, 1, 1, 1))


def test_recomputation_is_measured() -> None:
    table = run("full_bptt.py", "--characters", 400, "--rounds", 1).splitlines()
    assert len(table) == 6
    assert "recompute MB" in table[0]


def test_plans_are_compared_with_configs(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("The light is not lost, it is only too far.\n" * 100)
    own = str(tmp_path / "{text}-{characters}.yaml")
    (tmp_path / "text-2000.yaml").write_text("model: {hidden_size: 7}")
    sizes = ["--characters", 2000, 10**9, "--texts", "text", "--minutes", 0.003]
    rows = run("plan.py", text, *sizes, "--configs", "tiny", own, "missing").splitlines()[2:]
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]
    assert {row[1] for row in cells} == {"2,000"}
    assert [Path(row[3]).name for row in cells] == ["chosen", "tiny", "text-2000.yaml"]
    assert "1 × 7 tanh" in cells[2][4]
    chosen, other = float(cells[0][5]), float(cells[2][5])
    assert float(cells[2][6].split()[0]) == pytest.approx(100 * (chosen / other - 1), abs=0.11)
