"""The built wheel trains when installed elsewhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_wheel_installed_elsewhere_trains_on_its_own_corpus(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheel = [*pip, "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    subprocess.run(wheel, check=True)
    (built,) = tmp_path.glob("charrnn-*.whl")
    site = tmp_path / "site"
    subprocess.run([*pip, "install", str(built), "--no-deps", "--target", str(site)], check=True)
    environment = os.environ | {"PYTHONPATH": str(site)}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    show = "import charrnn.system.resources as r; print(r.text_resources()[r.CORPUS_NAME])"
    where = run("-c", show)
    assert Path(where.strip()).is_relative_to(site)
    document = json.loads(run("-m", "charrnn", "train", "--max-steps", "3", "--json"))
    assert document["steps"] == 3
    assert document["run"] == "runs/farrow-quay-1"
    assert len(run("-m", "charrnn", "sample", document["run"], "--length", "20")) == 20
    assert run("-m", "charrnn", "report", document["run"]).strip() == "report.html"
    names = json.loads(run("-m", "charrnn", "train", "-c", "names", "--max-steps", "3", "--json"))
    assert names["run"] == "runs/place-names-1"
    assert json.loads(run("-m", "charrnn", "config", "--schema"))["additionalProperties"] is False
    assert list(site.glob("charrnn/configs/schema.json"))  # for completion
