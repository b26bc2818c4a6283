"""What the project says of itself, and what its wheel and its source distribution contain."""

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
import yaml

import charrnn

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
FOR_DEVELOPERS = {"test", "bench", "dev"}
NOT_EVERYWHERE = {"fast"}  # needs numba, which new versions of Python and NumPy lack for months


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel, and the source distribution, of this checkout."""
    folder = tmp_path_factory.mktemp("built")
    build(ROOT, folder)
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def build(source: Path, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)],
        cwd=source, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_wheel_from_the_source_distribution_is_the_same(built, tmp_path) -> None:
    wheel, source = built
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    build(unpacked, tmp_path / "again")
    assert (tmp_path / "again" / wheel.name).read_bytes() == wheel.read_bytes()


def test_the_metadata_of_the_wheel(built) -> None:
    with zipfile.ZipFile(built[0]) as wheel:
        names = wheel.namelist()
        info = f"charrnn-{charrnn.__version__}.dist-info"
        metadata = message_from_bytes(wheel.read(f"{info}/METADATA"))
    assert "charrnn/py.typed" in names
    assert f"{info}/licenses/LICENSE" in names
    assert not [name for name in names if not name.startswith(("charrnn/", info))]
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert set(PROJECT["classifiers"]) == set(metadata.get_all("Classifier"))
    assert {"all", *EXTRAS} == set(metadata.get_all("Provides-Extra"))


def test_all_is_every_extra_for_users() -> None:
    (named,) = EXTRAS["all"]
    wanted = EXTRAS.keys() - FOR_DEVELOPERS - NOT_EVERYWHERE - {"all"}
    assert set(named.removeprefix("charrnn[").removesuffix("]").split(",")) == wanted
    assert "charrnn[all]" in EXTRAS["test"]


def test_every_extra_is_documented() -> None:
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    assert not [extra for extra in EXTRAS if f"`{extra}`" not in page]


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["title"] == PROJECT["name"]
    assert str(citation["version"]) == charrnn.__version__
    assert citation["abstract"] == PROJECT["description"]
    assert citation["license"] == PROJECT["license"]
    assert [author["name"] for author in citation["authors"]] == [
        author["name"] for author in PROJECT["authors"]
    ]
    assert f"(c) 2026 the {citation['title']} authors" in (ROOT / "LICENSE").read_text()
