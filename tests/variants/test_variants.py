"""freezer variants: many freezes of one source that share one data file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import freezer
from freezer.errors import ModelError, UsageError
from freezer.variants import make_variants, read_variants
from tests.cli.run import freezer as command

RECIPE = """
source = "m.onnx"
[set]
scale = 0.5
[[variant]]
name = "a"
[[variant]]
name = "b"
set.scale = 2
[matrix.dims]
B = [1, 3]
"""


def write_model(folder: Path, external: bool = False) -> Path:
    """y = (x @ w) * scale + table[speaker]; w takes 16 KiB, the table 8 KiB."""
    w = numpy_helper.from_array(np.arange(64 * 64, dtype=np.float32).reshape(64, 64) / 4096, "w")
    table = numpy_helper.from_array(np.arange(8 * 256, dtype=np.float32).reshape(32, 64), "table")
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Mul", ["m", "scale"], ["s"]),
        helper.make_node("Gather", ["table", "speaker"], ["t"]), helper.make_node("Add", ["s", "t"], ["y"]),
    ]  # fmt: skip
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", 64]),
        helper.make_tensor_value_info("scale", TensorProto.FLOAT, []),
        helper.make_tensor_value_info("speaker", TensorProto.INT64, []),
    ]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["B", 64])
    graph = helper.make_graph(nodes, "g", inputs, [output], [w, table])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    extra = {"save_as_external_data": True, "location": "m.data", "size_threshold": 0} if external else {}
    onnx.save(model, folder / "m.onnx", **extra)
    return folder / "m.onnx"


@pytest.fixture
def recipe(tmp_path) -> Path:
    (tmp_path / "v.toml").write_text(RECIPE)
    return tmp_path / "v.toml"


def contents(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def test_the_list_is_the_product_of_variants_and_matrix(recipe):
    found = {v.name: (v.recipe.sets, v.recipe.dims) for v in read_variants(recipe)}
    assert found == {
        "a-B1": ({"scale": "0.5"}, {"B": 1}), "a-B3": ({"scale": "0.5"}, {"B": 3}),
        "b-B1": ({"scale": "2"}, {"B": 1}), "b-B3": ({"scale": "2"}, {"B": 3}),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lists no variant"), ("variant = 1", "must be tables"), ("[[variant]]", "needs a name"),
        ("[[variant]]\nname = '../a'", "no name of a file"), ("[matrix.set]\na = 1", "must be a list"),
        ("[[variant]]\nname = 'a'\n[[variant]]\nname = 'A'", "two variants called 'A'"),
        ("[matrix]\nshapes = {}", "not shapes"), ("[[variant]]\nname = 'a'\nsource = 'b'", "unknown key 'source'"),
        (f"[matrix.set]\na = {list(range(101))}\nb = {list(range(101))}", "more than 10000"),
    ],
)  # fmt: skip
def test_lists_that_cannot_be_meant(tmp_path, text, said):
    (tmp_path / "v.toml").write_text(text)
    with pytest.raises(UsageError, match=said.replace("[", r"\[")):
        read_variants(tmp_path / "v.toml")


@pytest.mark.parametrize("external", [False, True])
def test_common_constants_are_stored_once_and_files_are_right(tmp_path, recipe, external):
    source = write_model(tmp_path, external)
    made, written = make_variants(source, read_variants(recipe), tmp_path / "out", verify=False, jobs=1)
    assert [m.name for m in made] == ["a-B1", "a-B3", "b-B1", "b-B3"] and not any(m.error for m in made)
    assert written.data_file == tmp_path / "out" / "m.onnx.data" and written.nbytes == (16 + 8) * 1024
    for m in made:
        assert m.shared_bytes == (16 + 8) * 1024 and m.own_bytes == Path(m.path).stat().st_size < 3000
        scale = 0.5 if m.name[0] == "a" else 2.0
        assert freezer.verify(source, m.path, {"scale": scale}, dims={"B": int(m.name[-1])}).equal
    assert set(contents(tmp_path / "out")) == {*(f"{m.name}.onnx" for m in made), "m.onnx.data"}


def test_beside_the_source_nothing_is_copied(tmp_path, recipe):
    source = write_model(tmp_path, external=True)
    made, written = make_variants(source, read_variants(recipe), tmp_path, verify=False, jobs=1)
    assert written.data_file is None and [p.name for p in written.shared_files] == ["m.data"]
    assert all(m.shared_bytes == (16 + 8) * 1024 for m in made)
    assert freezer.verify(source, made[0].path, {"scale": 0.5}, dims={"B": 1}).equal


def test_what_only_one_variant_has_is_its_own(tmp_path):
    source = write_model(tmp_path)
    (tmp_path / "v.toml").write_text("set.scale = 1.5\n[matrix.set]\nspeaker = [0, 5]\n")
    made, written = make_variants(source, read_variants(tmp_path / "v.toml"), tmp_path / "out", verify=False, jobs=1)
    assert written.nbytes == 16 * 1024 and {m.shared_bytes for m in made} == {16 * 1024}
    for m, speaker in zip(made, (0, 5), strict=True):
        assert freezer.verify(source, m.path, {"scale": 1.5, "speaker": speaker}).equal


def test_the_files_do_not_depend_on_how_many_work(tmp_path, recipe):
    source = write_model(tmp_path)
    found = []
    for jobs in (1, 2):
        make_variants(source, read_variants(recipe), tmp_path / str(jobs), verify=False, jobs=jobs)
        found.append(contents(tmp_path / str(jobs)))
    assert found[0] == found[1] and len(found[0]) == 5


def test_a_failing_variant_does_not_stop_the_others(tmp_path):
    write_model(tmp_path)
    (tmp_path / "v.toml").write_text("source = 'm.onnx'\n[matrix.set]\nspeaker = [1, 'no', 40]\n")
    done = command("variants", "--recipe", tmp_path / "v.toml", "-o", tmp_path / "out", "--json", "--jobs", 1)
    report = json.loads(done.stdout)
    errors = {m["name"]: m["error"] for m in report["variants"]}
    assert done.returncode == 1 and "1 of 3 variants failed: speakerno" in done.stderr
    assert not errors["speaker1"] and "cannot freeze 'speaker'" in errors["speakerno"]
    assert (tmp_path / "out" / "speaker1.onnx").exists() and not (tmp_path / "out" / "speakerno.onnx").exists()


def test_a_folder_is_made_only_for_variants(tmp_path):
    write_model(tmp_path)
    (tmp_path / "v.toml").write_text("source = 'm.onnx'\n[matrix.set]\nspeaker = ['no']\n")
    done = command("variants", "--recipe", tmp_path / "v.toml", "-o", tmp_path / "out", "--jobs", 1)
    assert done.returncode == 1 and not (tmp_path / "out").exists()
    done = command("variants", "--recipe", tmp_path / "v.toml", "-o", tmp_path / "m.onnx")
    assert done.returncode == 2 and "is no folder; give another name" in done.stderr


@pytest.mark.parametrize("where", ["recipe", "base", "command line"])
def test_strict_fails_what_could_not_be_verified(tmp_path, where):
    text = """<ir_version: 10, opset_import: ["": 18, "nobody": 1]>
    g (float[2] x, float k) => (float[2] y) { a = nobody.Op (x)  y = Mul (a, k) }"""
    onnx.save(onnx.parser.parse_model(text), tmp_path / "m.onnx")
    own, base = ("options.strict = true" if where == w else "" for w in ("recipe", "base"))
    listed = f"set.k = 2\n{base}\n[[variant]]\nname = 'a'\n{own}\n"
    (tmp_path / "v.toml").write_text(f"source = 'm.onnx'\n{listed}")
    strict = ["--strict"] if where == "command line" else []
    done = command("variants", "--recipe", tmp_path / "v.toml", "-o", tmp_path / "out", *strict)
    assert done.returncode == 1 and "failed: not verified" in done.stdout
    assert not (tmp_path / "out" / "a.onnx").exists()


def test_external_data_behind_links_needs_the_folder_that_they_stay_below(tmp_path, recipe):
    (tmp_path / "cache").mkdir()
    write_model(tmp_path / "cache", external=True)
    for name in ("m.onnx", "m.data"):
        (tmp_path / name).symlink_to(tmp_path / "cache" / name)
    given = ["variants", "--recipe", recipe, "-o", tmp_path / "out", "--no-verify"]
    refused, done = command(*given), command(*given, "--allow-link", tmp_path)
    assert refused.returncode == 1 and "--allow-link" in refused.stdout
    assert done.returncode == 0, done.stdout
    recipe.write_text(recipe.read_text().replace("[set]", "[options]\nallow_link = '.'\nverify = false\n[set]"))
    assert command("variants", "--recipe", recipe, "-o", tmp_path / "again").returncode == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "again")


def test_a_changed_source_is_an_error(tmp_path, recipe):
    source = write_model(tmp_path)
    recipe.write_text(f"source_sha256 = '{'0' * 64}'\n" + RECIPE)
    with pytest.raises(ModelError, match="has changed: its sha256 is"):
        make_variants(source, read_variants(recipe), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_dask_cluster_makes_the_same_files(tmp_path, recipe):
    distributed = pytest.importorskip("distributed")
    source = write_model(tmp_path)
    make_variants(source, read_variants(recipe), tmp_path / "here", verify=False, jobs=1)
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(protocol="tcp", **options) as cluster:
        make_variants(
            source, read_variants(recipe), tmp_path / "there", verify=False, dask=cluster.scheduler_address
        )  # fmt: skip
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_no_scheduler_is_one_line(tmp_path, recipe):
    pytest.importorskip("distributed")
    source = write_model(tmp_path)
    with pytest.raises(UsageError, match="no Dask scheduler answers"):
        make_variants(source, read_variants(recipe), tmp_path / "out", dask="nowhere")
