"""A report in a browser: it is quiet, loads nothing, fits a phone, and answers the pointer."""

from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.browser import Browser
from tests.pages import TAGS, hostile_run

WIDE = """
return [...document.querySelectorAll("body *")].filter(
  (e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, svg")
).map((e) => e.tagName + " " + e.className)
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_run(tmp_path_factory.mktemp("hostile"))


def opened(charrnn, browser: Browser, *runs: Path) -> None:
    assert charrnn("report", *runs).code == 0
    browser.open(Path("report.html"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_quiet_and_fits_every_width(
    charrnn, browser: Browser, trained: Path, stacked: Path, scheme: str
) -> None:
    browser.emulate(scheme)
    opened(charrnn, browser, trained, stacked)
    for width in (320, 360, 800, 1280):
        browser.resize(width)
        assert browser.run("return document.documentElement.scrollWidth") <= width
        assert browser.run(WIDE) == []
    assert browser.console() == []
    assert browser.requests() == []


def test_colours_are_readable(charrnn, browser: Browser, trained: Path) -> None:
    """The contrast of text and background is at least 4.5, in both schemes and on paper."""
    contrast = """
    const light = (css) => css.match(/[\\d.]+/g).slice(0, 3).map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
      .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
    const style = (name) => getComputedStyle(document.querySelector(name));
    const paper = light(style("html").backgroundColor);
    return ["html", "figcaption", ".verdict strong", "nav a"].map((name) => {
      const ink = light(style(name).color);
      return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    });
    """
    opened(charrnn, browser, trained)
    for scheme, media in (("light", "screen"), ("dark", "screen"), ("dark", "print")):
        browser.emulate(scheme, media)
        assert min(browser.run(contrast)) >= 4.5, (scheme, media)


def test_the_pointer_reads_a_chart(charrnn, browser: Browser, trained: Path) -> None:
    opened(charrnn, browser, trained)
    output = "return document.querySelector('#figure-loss output').textContent"
    assert browser.run(output) == ""
    plot = browser.driver.find_element(By.CSS_SELECTOR, "#figure-loss svg.plot")
    plot.send_keys(Keys.ARROW_RIGHT)
    first = browser.run(output)
    assert first.startswith("step ")
    for _ in range(3):
        plot.send_keys(Keys.ARROW_RIGHT)
    assert browser.run(output) != first


def test_a_character_shows_what_was_expected(charrnn, browser: Browser, trained: Path) -> None:
    opened(charrnn, browser, trained)
    guess = browser.driver.find_element(By.ID, "guess")
    assert not guess.is_displayed()
    browser.driver.find_element(By.CSS_SELECTOR, "#passage span:nth-child(9)").click()
    assert guess.is_displayed()
    assert len(guess.find_elements(By.TAG_NAME, "li")) == 5
    wanted = browser.run("return JSON.parse(document.getElementById('values').textContent).passage")
    assert f"{wanted['bits'][8]:.2f} bits" in guess.text
    assert f"{wanted['percent'][8][0]:.1f} %" in guess.text
    browser.driver.find_element(By.ID, "passage").send_keys(Keys.ARROW_RIGHT)
    assert f"{wanted['bits'][9]:.2f} bits" in guess.text
    assert browser.console() == []


def test_a_unit_colours_the_passage(charrnn, browser: Browser, trained: Path) -> None:
    opened(charrnn, browser, trained)
    classes = "return [...document.querySelectorAll('#unit-passage span')].map(e => e.className)"
    wanted = browser.run("return JSON.parse(document.getElementById('values').textContent).units")
    choice = Select(browser.driver.find_element(By.ID, "unit"))
    numbers = [int(option.get_attribute("value")) for option in choice.options]
    for place in (0, len(numbers) - 1):
        choice.select_by_index(place)
        levels = wanted["levels"][numbers[place]]
        assert browser.run(classes) == [f"u{ord(letter) - 97}" for letter in levels]
    assert len({*wanted["levels"]}) > 1


def test_nothing_of_a_hostile_run_is_executed(charrnn, browser: Browser, hostile: Path) -> None:
    opened(charrnn, browser, hostile)
    assert browser.run("return window.hacked === undefined")
    assert browser.run("return document.images.length + document.forms.length") == 0
    assert browser.run("return document.scripts.length") == 4
    assert (
        browser.run("return document.querySelectorAll('svg svg svg, b b, title + script').length")
        == 0
    )
    browser.run(
        """
        for (const e of document.querySelectorAll("#passage span, #unit-passage span")) {
          e.dispatchEvent(new PointerEvent("pointerover", {bubbles: true}));
        }
        for (const e of document.querySelectorAll("svg.plot")) {
          e.dispatchEvent(new PointerEvent("pointermove", {clientX: 300, bubbles: true}));
        }
        """
    )
    assert browser.run("return window.hacked === undefined")
    tags = "return [...new Set([...document.querySelectorAll('*')].map((e) => e.localName))]"
    assert {*browser.run(tags)} <= TAGS
    assert browser.console() == []
    assert browser.requests() == []


def test_a_page_can_be_read_without_scripts_and_printed(
    charrnn, browser: Browser, trained: Path, tmp_path: Path
) -> None:
    assert charrnn("report", trained).code == 0
    page = Path("report.html").read_text(encoding="utf-8")
    Path("still.html").write_text(page.replace("script-src ", "script-src 'none' x"))
    browser.open(Path("still.html"))
    shown = browser.run("return document.querySelector('#passage').innerText.length")
    assert shown > 50
    assert not browser.driver.find_element(By.ID, "unit").is_displayed()
    browser.pdf(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    browser.emulate("light", "print")
    hidden = "return getComputedStyle(document.querySelector('nav')).display"
    assert browser.run(hidden) == "none"
