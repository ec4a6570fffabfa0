"""freezer engines, and the options of freezer freeze that name one, as a user runs them."""

from __future__ import annotations

import json

import onnx

from tests.cli.run import FIXTURES, SILERO, freezer
from tests.engines.models import convolution

SHAPES = ("--set", "sr=16000", "--shape", "input=1,576", "--shape", "state=2,1,128")


def rows(*arguments: object) -> dict[str, dict]:
    done = freezer("engines", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return {row["engine"]: row for row in json.loads(done.stdout)["engines"]}


def test_silero_with_every_engine():
    """The versions are those of the test extra. onnxruntime throws, or dies: its memory is broken by then."""
    found = rows(SILERO, *SHAPES)
    verdicts = {name: row["verdict"] for name, row in found.items()}
    assert verdicts.pop("onnxruntime") in ("crashed", "failed")
    assert verdicts == {
        "native": "bit-equal", "onnxsim": "failed", "graphsurgeon": "invalid model",
        "onnxslim": "bit-equal", "onnxscript": "bit-equal",
    }  # fmt: skip
    assert "topologically sorted" in found["onnxsim"]["detail"]
    assert "which nothing in the model defines" in found["graphsurgeon"]["detail"]
    assert found["native"]["control_flow"] == {} and found["native"]["nodes"] <= 36
    assert found["onnxscript"]["control_flow"] == {"If": 7}
    alive = [row for row in found.values() if row["verdict"] != "crashed"]
    assert all(row["seconds"] > 0 and row["peak_bytes"] > 10_000_000 and row["version"] for row in alive)


def test_a_quantised_model_grows_in_those_that_fold_its_weights():
    arguments = (
        FIXTURES / "minilm_int8.onnx", "--set", "token_type_ids=zeros", "--set", "attention_mask=ones",
        "--dim", "batch=1", "--dim", "sequence=64", "--engine", "native", "--engine", "onnxruntime",
    )  # fmt: skip
    found = rows(*arguments)
    assert found["native"]["verdict"] == "bit-equal" and not found["native"]["grew"]
    assert found["onnxruntime"]["grew"] and found["onnxruntime"]["nbytes"] > 3 * found["native"]["nbytes"]
    assert found["onnxruntime"]["verdict"] == "within tolerance" and 0 < found["onnxruntime"]["max_rel"] <= 1e-5


def test_the_table_and_the_list(tmp_path):
    onnx.save(convolution(), tmp_path / "conv.onnx")
    done = freezer("engines", tmp_path / "conv.onnx", "--set", "training=false", "--engine", "native")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["engine", "nodes", "control", "flow", "MB", "s", "peak", "MB", "verdict"]
    assert lines[1].split()[:4] == ["(source)", "5", "1", "If"] and lines[2].split()[:3] == ["native", "2", "none"]
    assert lines[2].endswith("bit-equal") and len(lines) == 3
    listed = freezer("engines").stdout
    assert [line.split()[0] for line in listed.splitlines()] == [
        "native", "onnxsim", "graphsurgeon", "onnxruntime", "onnxslim", "onnxscript",
    ]  # fmt: skip


def test_a_refused_engine_is_one_line_and_writes_nothing(tmp_path):
    done = freezer("freeze", SILERO, "-o", tmp_path / "out.onnx", *SHAPES, "--engine", "graphsurgeon")
    assert done.returncode == 1 and not list(tmp_path.iterdir())
    assert done.stderr.startswith("error: engine 'graphsurgeon' wrote an invalid model: node ")
    assert len(done.stderr.splitlines()) == 1


def test_then_fuses_and_the_report_says_how_close(tmp_path):
    onnx.save(convolution(), tmp_path / "conv.onnx")
    options = ("-o", tmp_path / "out.onnx", "--set", "training=false", "--then", "onnxruntime")
    done = freezer("freeze", tmp_path / "conv.onnx", *options)
    assert done.returncode == 0, done.stderr
    assert "note    then by onnxruntime" in done.stdout
    assert "verified  equal within 1e-05 (float32) of each output's largest value, at most" in done.stdout
    assert [n.op_type for n in onnx.load(tmp_path / "out.onnx").graph.node] == ["Conv"]
    refused = freezer("freeze", tmp_path / "conv.onnx", *options, "--tolerance", "0")
    assert refused.returncode == 1 and "engine 'onnxruntime' changed the model" in refused.stderr


def test_routes_with_another_engine():
    factory = "fixtures.modules.elementwise:power"
    done = freezer("routes", factory, "--exporter", "torchscript", "--engine", "graphsurgeon")
    assert done.returncode == 0 and "torchscript: identical" in done.stdout, done.stderr
    refused = freezer("routes", factory, "--engine", "graphsurgery")
    assert refused.returncode == 2 and "did you mean 'graphsurgeon'?" in refused.stderr


def test_bad_use():
    for arguments in (("--engine", "onnxsimm"), ("--tolerance", "3")):
        assert freezer("engines", SILERO, "--set", "sr=16000", *arguments).returncode == 2
    assert freezer("engines", SILERO, "--set", "rate=1").returncode == 2
