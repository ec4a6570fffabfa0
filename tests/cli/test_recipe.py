"""freezer freeze --recipe and --write-recipe, freezer verify."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from freezer.options import Running, Saving
from freezer.recipe import read_recipe
from tests.cli.run import ROOT, freezer

TEXT = """<ir_version: 10, opset_import: ["": 18]>
g (float[A,B] x, float scale, float[B] shift) => (float[A,B] y) { m = Mul (x, scale)  y = Add (m, shift) }"""


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "m.onnx").write_bytes(onnx.parser.parse_model(TEXT).SerializeToString())
    np.save(tmp_path / "shift.npy", np.arange(400, dtype=np.float32))
    return tmp_path


def frozen(folder: Path, *arguments: str) -> Path:
    sets = ("--set", "scale=0.5", "--set", f"shift=@{folder}/shift.npy", "--shape", "x=2,_")
    done = freezer("freeze", folder / "m.onnx", "-o", folder / "out.onnx", *sets, "--no-verify", *arguments)
    assert done.returncode == 0, done.stderr
    return folder / "out.onnx"


def test_a_recipe_repeats_its_command_line_byte_for_byte_from_anywhere(folder, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (folder / "kept").mkdir()
    first = frozen(folder, "--prune-inputs", "--write-recipe", f"{folder}/kept/r.toml").read_bytes()
    (folder / "out.onnx").unlink()
    done = freezer("freeze", "--recipe", folder / "kept" / "r.toml", "--no-verify", cwd=Path("/"))
    assert done.returncode == 0, done.stderr
    assert (folder / "out.onnx").read_bytes() == first
    done = freezer("freeze", "--recipe", folder / "kept" / "r.toml", "--no-verify", "-o", folder / "other.onnx")
    assert done.returncode == 0 and (folder / "other.onnx").read_bytes() == first


def test_the_command_line_counts_more_than_the_recipe(folder):
    frozen(folder, "--write-recipe", f"{folder}/r.toml")
    done = freezer("freeze", "--recipe", folder / "r.toml", "--set", "scale=2", "--no-verify", "--json")
    assert json.loads(done.stdout)["frozen"]["scale"]["value"] == [2.0]


@pytest.mark.parametrize("name", ["m.onnx", "shift.npy"])
def test_a_changed_file_is_an_error_with_both_hashes(folder, name):
    frozen(folder, "--write-recipe", f"{folder}/r.toml")
    with open(folder / name, "ab") as file:
        file.write(b"\0")
    before = (folder / "out.onnx").read_bytes()
    done = freezer("freeze", "--recipe", folder / "r.toml")
    assert done.returncode == 1 and f"{name}' has changed: its sha256 is" in done.stderr
    assert len([w for w in done.stderr.replace(",", " ").replace(";", " ").split() if len(w) == 64]) == 2
    assert (folder / "out.onnx").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("source = 1", "source must be a text"), ("speed = 1", "unknown key 'speed'"), ("a =", "is not TOML"),
        ("set = 1", "set must be a table"), ("[dims]\nb = -1", "dims.b must be an integer >= 0"),
        ("[dims]\nb = true", "dims.b must be an integer"), ("[shapes]\nx = '1,a'", "shapes.x must be an integer"),
        ("[options]\nfast = true", "has no option 'fast'"), ("[options]\nrelaxed = 1", "must be of type bool"),
        ("[options]\nexternal_data = 'here'", "options.external_data must be one of auto, inline, external"),
        ("[options]\nverify = 0", "options.verify must be of type bool"),
        ("[set]\nx = 2020-01-01", "set.x must be"), ("", "no model is given"),
    ],
)  # fmt: skip
def test_a_recipe_that_cannot_be_meant(tmp_path, text, said):
    (tmp_path / "r.toml").write_text(text)
    done = freezer("freeze", "--recipe", tmp_path / "r.toml", "-o", tmp_path / "o.onnx")
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1


def test_values_of_a_recipe_may_be_toml_or_texts(folder):
    (folder / "r.toml").write_text("source = 'm.onnx'\noutput = 'o.onnx'\n[set]\nscale = 0.25\nshift = [1.0, 2, 3]\n")
    done = freezer("freeze", "--recipe", folder / "r.toml", "--no-verify", "--json")
    found = json.loads(done.stdout)["frozen"]
    assert found["scale"]["value"] == [0.25] and found["shift"]["value"] == [1.0, 2.0, 3.0]


def test_how_it_runs_and_saves_stands_in_the_recipe_too(folder):
    (folder / "kept").mkdir()
    how = ("--external-data", "external", "--data-file", "w.bin", "--allow-link", f"{folder}", "--strict")
    frozen(folder, *how, "--write-recipe", f"{folder}/kept/r.toml")
    first = {name: (folder / name).read_bytes() for name in ("out.onnx", "w.bin")}
    recipe = read_recipe(folder / "kept" / "r.toml")
    assert recipe.chosen(Running) == Running(verify=False, strict=True, allow_link=f"{folder}/kept/..")
    assert recipe.chosen(Saving) == Saving("external", "w.bin")
    for name in first:
        (folder / name).unlink()
    done = freezer("freeze", "--recipe", folder / "kept" / "r.toml")
    assert done.returncode == 0 and "not verified" in done.stdout, done.stderr
    assert {name: (folder / name).read_bytes() for name in first} == first
    done = freezer("freeze", "--recipe", folder / "kept" / "r.toml", "--verify", "--external-data", "inline")
    assert done.returncode == 0 and "equal bit for bit" in done.stdout, done.stderr
