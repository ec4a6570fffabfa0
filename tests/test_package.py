"""What `python -m build` makes installs, and runs, in an environment that has nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import freezer

ROOT = Path(__file__).resolve().parent.parent
CASE = ["--set", "sr=16000", "--shape", "input=1,576", "--shape", "state=2,1,128"]


def run(*words: object, cwd: Path) -> str:
    """What a command prints. The checkout is out of sight."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(word) for word in words]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> list[Path]:
    """The wheel and the sdist, made from a copy of what git keeps."""
    copy = tmp_path_factory.mktemp("package") / "source"
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*", "fixtures", "tests")
    shutil.copytree(ROOT, copy, ignore=ignore)
    run(sys.executable, "-m", "build", "--outdir", copy.parent / "dist", copy, cwd=copy.parent)
    return sorted((copy.parent / "dist").iterdir())


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Path:
    """The programs of a new virtual environment."""
    folder = tmp_path_factory.mktemp("clean")
    run(sys.executable, "-m", "venv", folder, cwd=folder)
    return folder / "bin"


def test_wheel_and_sdist_install_and_run(built, clean, tmp_path):
    assert [path.suffix for path in built] == [".whl", ".gz"]
    shutil.copyfile(ROOT / "fixtures" / "third_party" / "silero_vad_v6.onnx", tmp_path / "m.onnx")
    made = []
    for path, how in zip(built, ([], ["--force-reinstall", "--no-deps"]), strict=True):
        run(clean / "python", "-m", "pip", "install", "-q", *how, path, cwd=tmp_path)
        assert run(clean / "freezer", "--version", cwd=tmp_path).split()[-1] == freezer.__version__
        said = run(clean / "freezer", "freeze", "m.onnx", "-o", "o.onnx", *CASE, "--report", "r.html", cwd=tmp_path)
        assert "equal bit for bit" in said and "<svg" in (tmp_path / "r.html").read_text()
        made.append((tmp_path / "o.onnx").read_bytes())
    assert made[0] == made[1]
