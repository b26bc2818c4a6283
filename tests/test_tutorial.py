"""The tutorial runs, and shows what the program prints and draws."""

import re

import numpy as np
import pytest
from PIL import Image

from tests.tutorial import BLOCK, PLOT, TUTORIAL, draw, lesson, with_current_output

PAGE = TUTORIAL.read_text(encoding="utf-8")
ROUNDING = re.compile(r"\d\.\d+e-(1[3-9]|\d\d\d)|\b0\.0e\+00")  # differs between processors
OF_A_MODEL = re.compile(r"-?\d[\d.,e%-]*|[█▓▒░·×]+")  # as do the numbers of a trained model
MAX_DIFFERENCE = 12  # root mean square of a channel from 0 to 255: fonts and edges, not the data


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, np.ndarray]]:
    """The page with fresh output, and its fresh plots."""
    folder = tmp_path_factory.mktemp("tutorial")
    with lesson():
        page = with_current_output(PAGE)
        draw(page, folder)
    return page, {name: pixels(folder / name) for *_, name in PLOT.findall(page)}


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), float)


def masked(block: tuple[str, ...]) -> str:
    _, of_a_model, _, _, output, _ = block
    if of_a_model:
        return re.sub(r"\s+", " ", OF_A_MODEL.sub("#", output))
    return ROUNDING.sub("#", output)


def test_every_block_is_what_the_command_prints(fresh) -> None:
    shown, current = BLOCK.findall(PAGE), BLOCK.findall(fresh[0])
    assert len(shown) > 12
    for before, now in zip(shown, current, strict=True):
        assert before[2] == now[2]
        assert masked(before) == masked(now), before[2]
        assert max(map(len, before[4].splitlines())) <= 80, before[2]


def test_every_plot_is_what_the_command_draws(fresh) -> None:
    plots = PLOT.findall(PAGE)
    names = {name for *_, name in plots}
    files = {f"tutorial/{path.name}" for path in (TUTORIAL.parent / "tutorial").iterdir()}
    assert names == files
    for of_a_model, command, alternative, name in plots:
        assert len(alternative) > 30
        shown, current = pixels(TUTORIAL.parent / name), fresh[1][name]
        assert shown.shape == current.shape, command
        if not of_a_model:
            assert np.sqrt(np.mean((shown - current) ** 2)) < MAX_DIFFERENCE, command
    one, other = (fresh[1][f"tutorial/{name}.png"] for name in ("terms", "slips"))
    assert np.sqrt(np.mean((one - other) ** 2)) > 3 * MAX_DIFFERENCE  # another plot is noticed


def test_the_numbers_of_the_prose_are_in_the_output_of_their_section() -> None:
    for section in PAGE.split("\n## ")[1:]:
        output = "".join(block[4] for block in BLOCK.findall(section))
        prose = BLOCK.sub("", section)
        prose = re.sub(r"`[^`]*`|<!--.*?-->|\]\([^)]*\)", "", prose)
        for number in re.findall(r"-?\d+\.\d+", prose):
            assert number in output, (section.splitlines()[0], number)
