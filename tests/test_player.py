"""A model in a page writes as `charrnn sample` does, in a real browser."""

import json
import re
import time
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng

from charrnn.cli import main
from charrnn.model.loss import softmax
from charrnn.model.rnn import logits, states
from charrnn.sampling.choice import chooser
from charrnn.setup.loading import load_model
from charrnn.setup.wiring import sequences_of
from charrnn.text.text import Text
from charrnn.text.vocabulary import Vocabulary
from charrnn.training.checkpoint import encode, load
from tests.browser import Browser
from tests.conftest import RHYME, TINY

KINDS = [
    (activation, layers, sequences, (layers == 1) == (sequences == "lines"))
    for activation, layers, sequences in product(
        ("tanh", "sigmoid", "relu"), (1, 3), ("stream", "lines")
    )
] + [("tanh", 1, "documents", True)]


class Page:
    """A page in which a model writes, as a reader uses it."""

    def __init__(self, browser: Browser, path: Path) -> None:
        self.browser, self.path = browser, path
        browser.open(path)

    def hook(self, call: str, *arguments: object) -> object:
        return self.browser.run(f"return charrnn.{call}(...arguments)", *arguments)

    @property
    def characters(self) -> list[str]:
        return self.browser.run("return charrnn.characters")

    def wait(self) -> None:
        limit = time.monotonic() + 30
        while self.hook("busy"):
            assert time.monotonic() < limit
            time.sleep(0.01)

    @property
    def text(self) -> str:
        return self.value("text")

    def value(self, name: str) -> str:
        return self.browser.run(f"return document.getElementById('play-{name}').value")

    def shown(self, name: str) -> str:
        return self.browser.run(f"return document.getElementById('play-{name}').textContent")

    def set(self, name: str, value: object) -> None:
        """As typing and choosing do."""
        self.browser.run(
            "const one = document.getElementById('play-' + arguments[0]); one.value = arguments[1];"
            "one.dispatchEvent(new Event('input', {bubbles: true}));",
            name,
            str(value),
        )
        self.wait()

    def click(self, name: str) -> None:
        self.browser.run(f"document.getElementById('play-{name}').click()")
        self.wait()


@pytest.fixture
def open_page(browser: Browser, charrnn):
    def open_(run: Path) -> Page:
        out = Path("model.html").absolute()
        assert charrnn("report", run, "--play-only", "--out", out).code == 0
        page = Page(browser, out)
        page.set("speed", "Infinity")
        assert not browser.console()
        return page

    return open_


def _train(text: Path, out: Path, *settings: object) -> Path:
    arguments = ["train", text, *TINY, "--max-steps", 25, "--out", out, *settings]
    assert main.run([str(argument) for argument in arguments]) == 0
    return out


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind)))
def test_it_writes_as_sample_does(charrnn, open_page, text_file, tmp_path, kind) -> None:
    """Equations (1)-(4) and (22): the same greedy texts, probabilities to 1e-4."""
    activation, layers, sequences, bias = kind
    run = _train(
        text_file, tmp_path / "run", "--layers", layers,
        "--set", f"model.activation={activation}", "--set", f"model.bias={str(bias).lower()}",
        "--set", f"data.sequences={sequences}", "--set", "model.hidden_size=24",
        "--set", "optimizer.learning_rate=1e-2",
    )  # fmt: skip
    page, model = open_page(run), load_model(str(run))
    prompts = ["", "T", "The keeper went up"]
    for prompt in prompts:
        greedy = charrnn(
            "sample", run, "--prime", prompt, "--length", 300, "--temperature", 0, "--json"
        )
        (text,) = json.loads(greedy.out)["texts"]
        written = page.hook("write", prompt, 300, {"temperature": 0})
        assert written == text.removeprefix(prompt)
        np.testing.assert_allclose(
            page.hook("probabilities", prompt), _probabilities(model, prompt), atol=1e-4
        )
    assert len(written) == 300 or sequences != "stream"


def _probabilities(model, prompt: str):
    """Those of the character after a prompt, which `sample` reads from zero, or a delimiter."""
    h, delimiter = np.zeros((1, model.params.state_size)), sequences_of(model.config).delimiter
    if not prompt and delimiter is None:
        h, prompt = model.start[None].astype(np.float64), "\n"
    ids = model.vocabulary.encode(Text.of((delimiter or "") + prompt))
    params = model.params.astype(np.float64)
    h = states(params, ids[:, None], h, model.activation)[-1]
    return softmax(logits(params, h))[0]


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 0},
        {"temperature": 1},
        {"temperature": 0.5},
        {"temperature": 1, "topK": 1},
        {"temperature": 1.5, "topK": 4},
        {"temperature": 1, "topP": 0.6},
        {"temperature": 0.8, "topK": 6, "topP": 0.7},
        {"temperature": 1, "topP": 0},
    ],
    ids=str,
)
def test_it_draws_from_what_sample_draws_from(open_page, trained, options) -> None:
    page, model = open_page(trained), load_model(str(trained))
    choose = chooser(options["temperature"], options.get("topK"), options.get("topP", 1.0))
    o = np.log(_probabilities(model, "The "))[None]
    u = (np.arange(2000) + 0.5) / 2000
    chosen = choose(np.repeat(o, len(u), axis=0), u)
    shares = np.bincount(chosen, minlength=o.size) / len(u)
    drawn = page.hook("drawn", "The ", options)
    np.testing.assert_allclose(drawn, shares, atol=1.01 / len(u))
    assert np.array_equal(np.array(drawn) > 1e-3, shares > 1e-3)


def test_min_p_is_relative_to_the_likeliest(open_page, trained) -> None:
    page = open_page(trained)
    p = np.array(page.hook("probabilities", "The "))
    kept = np.where(p >= 0.3 * p.max(), p, 0)
    assert 1 < np.count_nonzero(kept) < len(p)
    drawn = page.hook("drawn", "The ", {"temperature": 1, "minP": 0.3})
    np.testing.assert_allclose(drawn, kept / kept.sum(), atol=1e-6)


def test_random_numbers_are_uniform_and_independent(open_page, trained) -> None:
    page = open_page(trained)
    u = np.array([
        page.browser.run(
            "return Array.from({length: 4000}, (_, n) => charrnn.random(arguments[0], n))", seed
        )
        for seed in (1, 2, 2**32 + 1)
    ])  # fmt: skip
    assert (u >= 0).all()
    assert (u < 1).all()
    for row in u:
        counts = np.bincount((16 * row).astype(int), minlength=16)
        assert ((counts - 250) ** 2 / 250).sum() < 37.7  # chi-squared, 15 degrees: p = 0.001
    pairs = [*zip(u[:, :-1], u[:, 1:], strict=True), (u[0], u[1]), (u[1], u[2]), (u[0], u[2])]
    for one, other in pairs:
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.055  # 3.4 standard errors


def test_a_seed_is_a_text(open_page, trained) -> None:
    """Also if it is stopped and continued, or written again after an edit."""
    page = open_page(trained)
    page.set("length", 120)
    texts = []
    for seed in (1, 1, 2):
        page.click("clear")
        page.set("seed", seed)
        page.click("write")
        texts.append(page.text)
    assert texts[0] == texts[1] != texts[2]
    assert len(texts[0]) == 120
    page.set("seed", 1)
    page.click("clear")
    page.set("length", 50)
    page.click("write")
    page.set("length", 70)
    page.click("write")
    assert page.text == texts[0]
    page.set("text", "The keeper ")
    page.click("write")
    assert page.text == "The keeper " + page.hook("write", "The keeper ", 70, {"temperature": 0.8})
    once = page.text
    page.click("again")
    assert page.text != once
    assert page.text.startswith("The keeper ")
    assert (len(page.text), page.value("seed")) == (81, "2")
    page.set("seed", 1)
    page.set("text", once[:20])
    page.set("length", 61)
    page.click("write")
    assert page.text == once


def test_settings_change_what_is_written(open_page, trained) -> None:
    page = open_page(trained)
    page.set("length", 60)

    def written(**settings: object) -> str:
        for name in ("temperature", "top-k", "top-p", "min-p"):
            page.set(name, settings.get(name.replace("-", "_"), {"temperature": 1}.get(name, "")))
        page.set("text", "The ")
        page.click("write")
        return page.text

    greedy = written(temperature=0)
    assert greedy == "The " + page.hook("write", "The ", 60, {"temperature": 0})
    assert greedy == written(top_k=1) == written(top_p=0) == written(min_p=1)
    free = written()
    assert free != greedy
    assert free == written(top_k=10**6) == written(top_k=-3) == written(top_p=7)  # not valid
    assert free not in (written(temperature=2), greedy)


def test_after_any_edit_the_state_is_as_if_read_anew(open_page, trained) -> None:
    page, random = open_page(trained), default_rng(1)
    alphabet, text = [*RHYME[:60], "é", "\n"], ""
    for _ in range(25):
        start, end = sorted(random.integers(0, len(text) + 1, 2))
        end = min(end, start + 40)
        text = text[:start] + "".join(random.choice(alphabet, random.integers(60))) + text[end:]
        page.set("text", text)
        assert page.hook("state") == page.hook("stateAfter", text)
    assert len(text) > 100
    for length in range(len(text), len(text) - 5, -1):
        page.set("text", text[:length])
        assert page.hook("state") == page.hook("stateAfter", text[:length])
    assert page.hook("state") != page.hook("stateAfter", text)


def test_long_texts_are_read_from_a_state_on_the_way(open_page, trained) -> None:
    page, text = open_page(trained), RHYME * 12
    page.set("text", text)
    for length in (1990, 700, 699, 64, 63, 1, 0):
        page.set("text", text[:length])
        assert page.hook("state") == page.hook("stateAfter", text[:length])


def test_the_networks_own_text_is_a_typed_one_after_a_change(open_page, trained) -> None:
    """It begins as its training text does; one that is typed may be any passage."""
    page = open_page(trained)
    page.set("length", 30)
    page.click("write")
    text, own = page.text, page.hook("state")
    assert own != page.hook("stateAfter", text)
    page.set("text", text + "x")  # what comes after it leaves it alone
    page.set("text", text)
    assert page.hook("state") == own
    page.set("text", text[:-1])
    page.set("text", text)
    assert page.hook("state") == page.hook("stateAfter", text)


def test_real_keys_are_read_and_unknown_characters_skipped(open_page, trained) -> None:
    page = open_page(trained)
    area = page.browser.driver.find_element("id", "play-text")
    area.send_keys("The kéeper", "\ue003" * 2, "ing")
    page.wait()
    assert page.text == "The kéeping"
    assert page.hook("state") == page.hook("stateAfter", "The keping")
    assert "é (U+00E9)" in page.shown("status")
    marked = page.browser.run("return document.querySelector('.play-unknown').textContent")
    assert marked == "é"
    page.set("length", 20)
    area.send_keys("\ue009\n")  # Ctrl+Enter
    page.wait()
    assert len(page.text) == 11 + 20


def test_a_bar_is_a_choice(open_page, trained) -> None:
    page, model = open_page(trained), load_model(str(trained))
    page.set("temperature", 1)
    page.set("text", "The ")
    p = _probabilities(model, "The ")
    order = np.argsort(-p, kind="stable")
    bars = page.browser.run(
        "return [...document.querySelectorAll('#play-next button')].map((one) => one.textContent)"
    )
    assert len(bars) == 10
    for bar, id in zip(bars, order, strict=False):
        assert f"{100 * p[id]:.1f} %" in bar
    third = model.vocabulary.characters[order[2]]
    page.browser.run("document.querySelectorAll('#play-next button')[2].click()")
    page.wait()
    assert page.text == "The " + third
    assert page.hook("state") == page.hook("stateAfter", "The " + third)


def test_a_lines_model_writes_lines(open_page, text_file, tmp_path) -> None:
    """Each as it would alone."""
    run = _train(text_file, tmp_path / "run", "--set", "data.sequences=lines",
                 "--set", "training.window=64", "--set", "model.hidden_size=32",
                 "--max-steps", 100, "--set", "optimizer.learning_rate=1e-2")  # fmt: skip
    page = open_page(run)
    assert page.shown("count") == "Lines"
    page.set("text", "Four steps and\nThe ")
    assert page.hook("state") == page.hook("stateAfter", "The ")
    page.set("length", 3)
    page.set("temperature", 0)
    page.click("write")
    first, second, *others, empty = page.text.split("\n")
    greedy = {
        prompt: page.hook("write", prompt, 999, {"temperature": 0}) for prompt in ("The ", "")
    }
    assert (first, second) == ("Four steps and", "The " + greedy["The "])
    assert (others, empty) == ([greedy[""]] * 2, "")


def test_a_documents_model_ends_its_text(open_page, text_file, tmp_path) -> None:
    (tmp_path / "texts").mkdir()
    for number in range(30):
        (tmp_path / f"texts/{number}.txt").write_text("a bell\n" * (1 + number % 2))
    run = _train(tmp_path / "texts", tmp_path / "run", "--set", "data.sequences=documents",
                 "--max-steps", 150, "--set", "optimizer.learning_rate=1e-2")  # fmt: skip
    page = open_page(run)
    page.click("write")
    assert page.text in ("a bell\n\u2403", "a bell\na bell\n\u2403")
    assert "ended" in page.shown("status")
    assert page.hook("state") == page.hook("stateAfter", "")
    page.set("text", page.text + "a")
    assert page.hook("state") == page.hook("stateAfter", "a")


def test_characters_are_code_points(open_page, tmp_path) -> None:
    text = "🜂é = 👩🏽‍🚀! e\u0301 𝒙\r\n" * 60
    (tmp_path / "signs.txt").write_bytes(text.encode())
    run = _train(tmp_path / "signs.txt", tmp_path / "run", "--set", "data.newlines=keep")
    page, model = open_page(run), load_model(str(run))
    assert page.characters == list(model.vocabulary.characters)
    for prompt in ("🜂é", "👩🏽\u200d", "e\u0301 𝒙\r"):
        np.testing.assert_allclose(
            page.hook("probabilities", prompt), _probabilities(model, prompt), atol=1e-4
        )
    page.set("length", 90)
    page.click("write")
    state = page.hook("state")
    written = page.text.replace("\u240d", "\r")
    assert len(written) == 90
    assert set(written) <= set(model.vocabulary.characters)
    page.set("text", page.text)  # it holds what was written, character for character
    assert page.hook("state") == state


def test_rare_characters_are_read_as_the_replacement(charrnn, open_page, tmp_path) -> None:
    (tmp_path / "rare.txt").write_text(RHYME * 12 + "QÜX")
    run = _train(tmp_path / "rare.txt", tmp_path / "run", "--set", "data.min_count=3")
    page, model = open_page(run), load_model(str(run))
    np.testing.assert_allclose(
        page.hook("probabilities", "The é"), _probabilities(model, "The \ufffd"), atol=1e-4
    )
    page.set("text", "The é")
    assert "read as U+FFFD" in page.shown("status")


HOSTILE = (
    "<img src=x onerror='window.hacked=1'>",
    '"><script>window.hacked=1<',
    "{{ 7*7 }}\u202e\u2028`${window.hacked=1}`",
)


def test_nothing_in_a_checkpoint_is_believed(browser, charrnn, trained, tmp_path) -> None:
    """Neither names nor characters are HTML or JavaScript, and nothing is requested."""
    checkpoint = load(trained / "checkpoints/best.safetensors")
    size = len(checkpoint.vocabulary.characters)
    strange = "<>&\"'`\\/!-$\u2028\u2029\u202e\u0085\x00\x1b\ufeff\u0301{%"
    config = {**checkpoint.config}
    config["data"] = {**config["data"], "text": list(HOSTILE)}
    changed = {"config": config}
    changed["vocabulary"] = Vocabulary(
        "".join(dict.fromkeys(strange + "\nabcdefghijklmnop"))[:size]
    )
    forged = tmp_path / "forged.safetensors"
    forged.write_bytes(encode(checkpoint.__class__(**{**vars(checkpoint), **changed})))
    assert charrnn("report", forged, "--play-only", "--out", "model.html").code == 0
    page = Page(browser, Path("model.html"))
    page.set("temperature", 2)
    page.set("speed", "Infinity")
    page.click("write")
    assert page.characters == list(changed["vocabulary"].characters)
    assert browser.run("return window.hacked") is None
    assert browser.run("return document.querySelectorAll('img, script').length") == 2
    data = browser.run("return document.getElementById('play-model').textContent")
    assert data.isascii()
    assert not {*"<>&"} & {*data}
    assert HOSTILE[0] in browser.run("return document.title + document.body.textContent")
    assert (browser.console(), browser.requests()) == ([], [])


def test_the_policy_forbids_everything_else(browser, charrnn, trained) -> None:
    """No script or style but its own, and no request."""
    assert charrnn("report", trained, "--play-only", "--out", "model.html").code == 0
    page = Path("model.html")
    text = page.read_text()
    assert not re.search(r"https?://", text.split('id="play-model"')[0])
    planted = "<script>window.hacked=1</script><img src='http://127.0.0.1:9/x.png'></main>"
    page.write_text(text.replace("</main>", planted))
    opened = Page(browser, page)
    browser.run("document.body.style.cssText = 'color: red'; fetch('http://127.0.0.1:9/')")
    opened.wait()
    assert browser.run("return window.hacked") is None
    refused = [line for line in browser.console() if "Content Security Policy" in line]
    for directive in ("script-src", "img-src", "connect-src"):
        assert any(directive in line for line in refused), refused


@pytest.mark.parametrize("width", [360, 1000])
def test_it_fits_the_screen(open_page, trained, width) -> None:
    page = open_page(trained)
    page.browser.resize(width)
    page.set("text", RHYME + "x" * 300)
    page.browser.run("document.querySelector('details').open = true")
    assert page.browser.run("return document.documentElement.scrollWidth") <= width
    unlabelled = page.browser.run(
        "return [...document.querySelectorAll('input, select, textarea')]"
        ".filter((one) => !one.labels.length).map((one) => one.id)"
    )
    assert unlabelled == []


def test_a_unit_colours_the_text(open_page, stacked) -> None:
    page = open_page(stacked)
    page.set("text", "The keeper")
    page.set("unit", 9)  # the first of the second layer
    titles = page.browser.run(
        "return [...document.querySelectorAll('#play-trace span')].map((one) => one.title)"
    )
    assert f"unit 9 is {page.hook('state')[8]:.2f}" in titles[-1]
    assert page.browser.run("return document.querySelectorAll('canvas').length") == 2
    page.set("unit", "")
    title = page.browser.run("return document.querySelector('#play-trace span:last-child').title")
    p = page.hook("probabilities", "The keepe")[page.characters.index("r")]
    assert f"{100 * p:.1f} %, {-np.log2(p):.1f} bits" in title


def test_a_large_model_is_refused_unless_allowed(charrnn, trained) -> None:
    refused = charrnn("report", trained, "--play-only", "--max-size", "1kB")
    assert (refused.code, refused.out) == (3, "")
    assert "1 kB are allowed" in refused.err
    assert not Path("model.html").exists()
    allowed = re.search(r"--max-size \w+", refused.err)[0].split()
    assert charrnn("report", trained, "--play-only", *allowed).code == 0
    assert Path("model.html").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("missing", "--play-only"), 3, "there is no checkpoint"),
        ((".", "--play-only", "--out", "no/where.html"), 2, "cannot be written"),
        ((".", "--play-only", "--max-size", "much"), 2, "--max-size much is not a size"),
    ],
)
def test_bad_arguments(charrnn, trained, monkeypatch, arguments, code, words) -> None:
    monkeypatch.chdir(trained)
    outcome = charrnn("report", *arguments)
    assert (outcome.code, words in outcome.err) == (code, True), outcome.err


def test_a_network_that_overflows_says_so(browser, charrnn, text_file, tmp_path) -> None:
    run = _train(text_file, tmp_path / "run", "--set", "model.activation=relu")
    checkpoint = load(run / "checkpoints/best.safetensors")
    checkpoint.params.flat[...] = np.abs(checkpoint.params.flat) * 1e6
    forged = tmp_path / "forged.safetensors"
    forged.write_bytes(encode(checkpoint))
    assert charrnn("report", forged, "--play-only", "--out", "model.html").code == 0
    page = Page(browser, Path("model.html"))
    page.set("speed", "Infinity")
    page.click("write")
    assert "overflowed" in page.shown("status")
    assert browser.console() == []
