"""The page of a report: its parts, what is left out and why, and that content stays data."""

import base64
import hashlib
import json
import re
from importlib import resources
from pathlib import Path

import pytest

from charrnn.report.ticks import linear_ticks, logarithmic_ticks
from tests.pages import PAYLOADS, TAGS, Elements, copy_of, hostile_run

SECTIONS = ["result", "training", "samples", "play", "surprisal", "units", "gradients", "settings"]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_run(tmp_path_factory.mktemp("hostile"))


def page_of(charrnn, *arguments: object) -> Elements:
    outcome = charrnn("report", *arguments)
    assert outcome.code == 0, outcome.err
    return Elements(Path(outcome.out.strip()).read_text(encoding="utf-8"))


def sections(page: Elements) -> list[str | None]:
    return [attributes.get("id") for attributes in page.named("section")]


def test_a_page_has_every_part(charrnn, trained: Path) -> None:
    page = page_of(charrnn, trained)
    assert sections(page) == SECTIONS
    for words in ("nats per character", "--max-steps 120", "counts of 5 characters", "held out"):
        assert words in page.text
    links = [attributes["href"] for attributes in page.named("a")]
    assert links == [f"#{name}" for name in SECTIONS]
    values = page.data("values")
    assert {"loss", "gradient", "clipped", "rate", "flow", "terms"} <= values["charts"].keys()
    losses = {line["label"]: line for line in values["charts"]["loss"]["lines"]}
    logged = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    wanted = [e["validation_nats_per_character"] for e in logged if e["event"] == "evaluation"]
    assert losses["held-out"]["y"] == [float(f"{nats:.4g}") for nats in wanted]
    passage, units = values["passage"], values["units"]
    assert len(passage["bits"]) == len(passage["text"]) == len(units["levels"][0])


def test_the_page_shows_the_scores_of_its_passage(charrnn, trained: Path) -> None:
    passage = page_of(charrnn, trained).data("values")["passage"]
    for n in range(1, len(passage["text"])):
        if passage["ranks"][n] == 1:
            assert passage["names"][passage["likeliest"][n][0]] == passage["text"][n]
            assert passage["percent"][n][0] == pytest.approx(100 * 2 ** -passage["bits"][n], abs=1)
    assert 1 in passage["ranks"]


def test_the_policy_allows_exactly_what_is_there(charrnn, trained: Path) -> None:
    page = page_of(charrnn, trained)
    (policy,) = (m["content"] for m in page.named("meta") if "http-equiv" in m)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    hashes = re.findall(r"'sha256-([^']+)'", policy)
    contents = [raw for _, attributes, raw in page.raw if "type" not in attributes]
    wanted = [base64.b64encode(hashlib.sha256(c.encode()).digest()).decode() for c in contents]
    assert sorted(hashes) == sorted(wanted)
    assert all("style" not in attributes for _, attributes in page.found)


@pytest.mark.parametrize(
    "name",
    [
        "config.yaml",
        "metrics.jsonl",
        "checkpoints/best.safetensors",
        "link/checkpoints/last.safetensors",
    ],
)
def test_a_page_never_replaces_a_file_of_a_run(
    charrnn, trained: Path, tmp_path: Path, name
) -> None:
    run = copy_of(trained, tmp_path / "run")
    (run / "link").symlink_to(run)
    content = (run / name).read_bytes()
    for arguments in (["--out"], ["--play-only", "--out"]):
        outcome = charrnn("report", trained, *arguments, run / name)
        assert (outcome.code, outcome.out) == (2, "")
        assert "is a file of a run" in " ".join(outcome.err.split())
    assert (run / name).read_bytes() == content
    assert charrnn("report", trained, "--no-model", "--out", run / "page.html").code == 0


def test_a_page_never_replaces_its_text(charrnn, trained: Path, text_file: Path) -> None:
    outcome = charrnn("report", trained, "--text", text_file, "--out", text_file)
    assert (outcome.code, outcome.out) == (2, "")
    assert "would overwrite what is read" in " ".join(outcome.err.split())


def test_colours_are_described_for_light_and_dark(charrnn, trained: Path) -> None:
    """In the dark, a surprising character is brighter, not darker."""
    page = page_of(charrnn, trained)
    assert "the stronger the colour of a character" in " ".join(page.text.split())
    template = resources.files("charrnn").joinpath("page/report.html").read_text(encoding="utf-8")
    for words in ("the darker", "from dark"):
        assert words not in template


def test_a_diverged_run_is_called_so(charrnn, text_file: Path, tmp_path: Path) -> None:
    settings = ["optimizer.name=sgd", "optimizer.learning_rate=1e10", "training.clip.by=none"]
    settings += ["model.activation=relu", "model.hidden_size=16"]
    options = [part for setting in settings for part in ("--set", setting)]
    arguments = ["-c", "tiny", *options, "--out", tmp_path / "run"]
    assert charrnn("train", text_file, *arguments).code == 1
    text = " ".join(page_of(charrnn, tmp_path / "run", "--no-model").text.split())
    assert "Diverged. Training diverged at step 2, and stopped." in text
    assert "Too early to tell" not in text
    assert "1 steps" not in text
    assert "--lr 5e+09" in text


@pytest.mark.parametrize("kind", ["usual", "hostile"])
def test_content_is_data(charrnn, trained: Path, hostile: Path, kind: str) -> None:
    page = page_of(charrnn, trained if kind == "usual" else hostile)
    assert {tag for tag, _ in page.found} <= TAGS
    for tag, attributes in page.found:
        assert not {name for name in attributes if name.startswith("on")}
        assert not {"src", "srcset", "xlink:href", "formaction", "action", "srcdoc"} & {*attributes}
        assert (attributes.get("href") or "#").startswith("#"), tag
    executed = [raw for tag, a, raw in page.raw if tag == "script" and "type" not in a]
    assert len(executed) == 2
    assert not any("hacked" in script for script in executed)
    page.data("values")
    page.data("play-model")


def test_a_hostile_run_is_shown_as_it_is(charrnn, hostile: Path) -> None:
    page = page_of(charrnn, hostile)
    assert PAYLOADS[0] in page.text  # a sample
    assert "\u202e" not in page.text
    assert "\x00" not in page.text
    assert "NaN" not in next(raw for _, a, raw in page.raw if a.get("id") == "values")
    letters = page.data("values")["passage"]["text"]
    assert {"<", ">", "&", "U+2028", "U+202E", "U+007F"} <= {*letters}


def test_paths_of_the_machine_stay_out_of_the_page(charrnn, trained: Path, text_file: Path) -> None:
    charrnn("report", trained)
    page = Path("report.html").read_text(encoding="utf-8")
    assert text_file.name in page
    assert str(text_file.parent) not in page
    assert str(trained.parent) not in page


def test_a_text_that_is_gone_or_changed(charrnn, tmp_path: Path, hostile: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("some words that repeat. " * 60)
    small = ["--set", "model.hidden_size=8", "--max-steps", "3", "--set", "evaluation.count=3"]
    batch = ["--set", "training.batch_size=4", "--set", "training.window=8"]
    assert charrnn("train", text, *small, *batch, "--out", "run").code == 0
    whole = page_of(charrnn, "run")
    assert "surprisal" in sections(whole)
    text.write_text("some words that change. " * 60)
    for _ in range(2):
        outcome = charrnn("report", "run")
        assert outcome.code == 0
        assert "--text FILE" in outcome.err
        page = Elements(Path("report.html").read_text())
        assert "gone or has changed" in page.text
        assert not {"surprisal", "units"} & {*sections(page)}
        assert {"training", "play"} <= {*sections(page)}
        text.unlink(missing_ok=True)
    other = tmp_path / "other.txt"
    other.write_text("words that repeat some words. " * 9)
    assert "surprisal" in sections(page_of(charrnn, "run", "--text", other))
    other.write_text("what is this? " * 9)
    assert charrnn("report", "run", "--text", other).code == 3
    skipped = page_of(charrnn, "run", "--text", other, "--unknown", "skip")
    assert "surprisal" in sections(skipped)


def test_without_a_log_there_is_no_report(charrnn, trained: Path, tmp_path: Path) -> None:
    run = copy_of(trained, tmp_path / "run")
    (run / "metrics.jsonl").write_text("no JSON\n")
    assert charrnn("report", run).code == 3
    (run / "metrics.jsonl").unlink()
    outcome = charrnn("report", run)
    assert outcome.code == 3
    assert "run has no log" in outcome.err
    assert "charrnn inspect run" in outcome.err.replace(f"{tmp_path}/", "")
    assert not Path("report.html").exists()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nowhere", "there is no run 'nowhere'"),
        ("run/checkpoints/best.safetensors", "give the directory, such as run"),
        (".", "name some of them, such as run"),
        ("folder", "folder is not the directory of a run"),
    ],
)
def test_what_is_no_run(charrnn, trained: Path, tmp_path: Path, path: str, words: str) -> None:
    copy_of(trained, tmp_path / "run")
    (tmp_path / "folder").mkdir()
    outcome = charrnn("report", path)
    assert outcome.code == 3
    assert words in outcome.err


def test_without_its_model_a_run_is_still_reported(charrnn, trained: Path, tmp_path: Path) -> None:
    run = copy_of(trained, tmp_path / "run")
    (run / "checkpoints" / "best.safetensors").write_bytes(b"no checkpoint")
    outcome = charrnn("report", run)
    assert outcome.code == 0
    assert "best.safetensors" in outcome.err
    page = Elements(Path("report.html").read_text())
    assert sections(page) == ["result", "training", "samples", "settings"]
    assert "cannot be read" in page.text


def test_a_model_can_be_left_out(charrnn, trained: Path) -> None:
    small = page_of(charrnn, trained, "--no-model")
    assert sections(small) == [name for name in SECTIONS if name != "play"]
    outcome = charrnn("report", trained, "--max-size", "1kB")
    assert outcome.code == 0
    assert "--max-size" in outcome.err
    page = Elements(Path("report.html").read_text())
    assert "play" not in sections(page)
    assert "too large" in page.text


def test_several_runs_are_compared(charrnn, trained: Path, stacked: Path, hostile: Path) -> None:
    page = page_of(charrnn, stacked, trained, "--no-model")
    assert "runs" in sections(page)
    assert "different texts" not in page.text
    lines = page.data("values")["charts"]["comparison"]["lines"]
    assert [line["label"] for line in lines] == [stacked.name, trained.name]
    assert "model.layers" in page.text
    assert "training.seed" not in page.text
    document = json.loads(charrnn("report", stacked, trained, "--json").out)
    best = min(document["runs"], key=lambda run: run["nats_per_character"])
    assert document["shown"] == best["run"]
    assert document["comparable"]
    other = page_of(charrnn, trained, hostile, "--no-model")
    assert "different texts" in other.text


def test_without_held_out_text_no_run_is_called_right(charrnn, text_file: Path) -> None:
    """Also of a single step, whose curves are points."""
    none = ["--set", "data.validation_fraction=0", "--set", "training.window=8"]
    small = ["--set", "model.hidden_size=8", "--set", "training.batch_size=4"]
    flat = ["--set", "optimizer.learning_rate=1e-9", "--max-steps", "30"]
    assert charrnn("train", text_file, *none, *small, *flat, "--out", "run").code == 0
    page = page_of(charrnn, "run", "--no-model")
    assert "Levelled off." in page.text
    assert "About right" not in page.text
    assert (
        charrnn("train", text_file, *small, *none[2:], "--max-steps", 1, "--out", "one").code == 0
    )
    circles = page_of(charrnn, "one", "--no-model").named("circle")
    assert {"dot s1", "dot s2", "dot faint"} <= {found["class"] for found in circles}


def test_json_says_where_the_page_is(charrnn, trained: Path) -> None:
    document = json.loads(charrnn("report", trained, "--out", "a page.html", "--json").out)
    assert document["page"] == "a page.html"
    assert document["bytes"] == Path("a page.html").stat().st_size
    (run,) = document["runs"]
    assert run["standing"] == "learning"
    assert run["held_out"]


@pytest.mark.parametrize("option", ["--no-model", "--text=x.txt"])
def test_a_page_of_the_model_alone_takes_no_other_parts(charrnn, trained: Path, option) -> None:
    assert charrnn("report", trained, "--play-only", option).code == 2
    assert charrnn("report", trained, trained, "--play-only").code == 2


def test_ticks_are_round_and_few() -> None:
    for low, high in [(0, 1), (0.93, 4.4), (0, 3000), (-2e-7, 3e-7), (1e12, 1.1e12)]:
        ticks = linear_ticks(low, high)
        assert 2 <= len(ticks) <= 6
        assert all(low <= tick <= high for tick in ticks)
    assert linear_ticks(0, 3000) == [0, 1000, 2000, 3000]
    assert logarithmic_ticks(0.5, 30) == [0.5, 1, 2, 5, 10, 20]
    assert logarithmic_ticks(1e-6, 1) == [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]
    assert len(logarithmic_ticks(1e-300, 1e300)) <= 8
