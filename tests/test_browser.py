"""The browser of the tests shows errors, policy violations and requests, so that tests see them."""

from pathlib import Path

from tests.browser import Browser

POLICY = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'">"""


def page(folder: Path, content: str) -> Path:
    path = folder / "page.html"
    path.write_text(f"<!doctype html><meta charset=utf-8>{content}", encoding="utf-8")
    return path


def test_a_quiet_page_says_nothing(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path, "<title>a</title><p>b"))
    assert browser.run("return document.title") == "a"
    assert browser.console() == []
    assert browser.requests() == []


def test_an_error_is_seen(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path, "<script>nothing()</script>"))
    (line,) = browser.console()
    assert "nothing is not defined" in line


def test_a_violated_policy_is_seen(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path, f"{POLICY}<script>document.title = 'run'</script>"))
    (line,) = browser.console()
    assert "Content Security Policy" in line
    assert browser.run("return document.title") == ""


def test_a_request_is_seen_and_fails(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path, "<img src='http://example.org/a.png'>"))
    assert browser.requests() == ["http://example.org/a.png"]


def test_viewport_and_colours_are_emulated(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path, "<p>b"))
    browser.resize(360)
    browser.emulate("dark", "print")
    dark = "return [innerWidth, matchMedia('print and (prefers-color-scheme: dark)').matches]"
    assert browser.run(dark) == [360, True]
