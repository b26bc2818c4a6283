"""A missing library of an extra is named, with the command that installs it where this runs."""

import sys
from pathlib import Path

import pytest

from charrnn.errors import UsageError
from charrnn.system import extras


def hint_without(monkeypatch, module: str, extra: str) -> str:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=f"`plot` needs {module}, which is not") as refused:
        extras.import_extra(module, extra, "`plot`")
    assert refused.value.hint
    return refused.value.hint


def requires(name: str) -> list[str]:
    assert name == "charrnn"
    return ["numpy>=2", "one>=1; extra == 'plot'", "two ; extra == 'plot'", "no; extra == 'all'"]


def test_the_libraries_of_the_extra_are_installed(monkeypatch) -> None:
    monkeypatch.setattr(extras, "requires", requires)
    monkeypatch.setattr(extras, "find_spec", lambda name: name)
    hint = hint_without(monkeypatch, "one", "plot")
    assert hint == 'install it: pip install "one>=1" "two"'
    assert hint_without(monkeypatch, "other", "none").endswith("pip install other")


def test_the_hint_is_for_the_installer(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(extras, "requires", requires)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    hint = hint_without(monkeypatch, "one", "plot")
    assert hint == f'install it: uv pip install -p {tmp_path} "one>=1" "two"'
    (tmp_path / "pipx_metadata.json").touch()
    hint = hint_without(monkeypatch, "one", "plot")
    assert hint == 'install it: pipx inject charrnn "one>=1" "two"'
