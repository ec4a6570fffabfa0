"""freezer freeze and inspect on a real third-party file: results, errors, exit codes, and the source untouched."""

from __future__ import annotations

import hashlib
import json

import onnx
import onnxruntime as ort
import pytest

from tests.cli.run import FIXTURES, SILERO, freezer

SHAPES = ("--shape", "input=1,576", "--shape", "state=2,1,128")


def sha256(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def counted(path) -> tuple[int, int]:
    """Nodes that are not Constant, and Ifs, bodies included."""
    stack, nodes, ifs = [onnx.load(path).graph], 0, 0
    while stack:
        for node in stack.pop().node:
            nodes += node.op_type != "Constant"
            ifs += node.op_type == "If"
            stack += [a.g for a in node.attribute if a.type == onnx.AttributeProto.GRAPH]
    return nodes, ifs


@pytest.mark.parametrize(
    ("arguments", "most_nodes", "most_bytes"),
    [
        (("--set", "sr=16000", *SHAPES), 36, 1_270_000),
        (("--set", "sr=16000"), 57, 1_280_000),
        (("--set", "sr=8000"), 57, 1_280_000),
        (("--set", "sr=8000", "--shape", "input=1,288", "--shape", "state=2,1,128"), 36, 1_270_000),
    ],
)
def test_silero_loses_its_control_flow(tmp_path, arguments, most_nodes, most_bytes):
    before, target = sha256(SILERO), tmp_path / "out.onnx"
    done = freezer("freeze", SILERO, "-o", target, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["verification"]["status"] == "equal"
    nodes, ifs = counted(target)
    assert nodes <= most_nodes and ifs == 0 and target.stat().st_size <= most_bytes
    assert report["after"]["nodes"] == nodes
    assert sha256(SILERO) == before and [p.name for p in tmp_path.iterdir()] == ["out.onnx"]
    onnx.checker.check_model(str(target), full_check=True)


def test_a_sample_rate_the_model_knows_nothing_of_follows_the_model(tmp_path):
    """At 44100 the model takes the 8 kHz branch; so does the residual."""
    done = freezer("freeze", SILERO, "-o", tmp_path / "a.onnx", "--set", "sr=44100", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["verification"]["status"] == "equal"
    assert freezer("freeze", SILERO, "-o", tmp_path / "b.onnx", "--set", "sr=8000").returncode == 0
    assert counted(tmp_path / "a.onnx") == counted(tmp_path / "b.onnx")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--set", "sr=16000.5"), ["'sr'", "int64", "16000.5 is not an integer"]),
        (("--set", "sr=[1,2]"), ["'sr'", "shape []"]),
        (("--set", "rs=16000"), ["'rs'", "did you mean 'sr'"]),
        (("--set", "sr"), ["NAME=VALUE"]),
        (("--dim", "batch=x"), ["'x'", "integer"]),
        (("--shape", "input=1,2,3"), ["'input'"]),
        (("--shape", "state=3,1,128"), ["'state'"]),
        (("--set", "sr=@none.npy"), ["none.npy"]),
        (("--unknown",), ["--unknown"]),
    ],
)
def test_bad_use_is_one_line_and_exit_code_2(tmp_path, arguments, words):
    done = freezer("freeze", SILERO, "-o", tmp_path / "out.onnx", *arguments)
    assert done.returncode == 2 and not done.stdout and not list(tmp_path.iterdir())
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ")
    assert all(word in lines[0] for word in words), lines[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"\x08", "onnx"), (b"not a model at all", "onnx"), (None, "there is no file")],
)
def test_a_broken_model_is_one_line_and_exit_code_1(tmp_path, content, words):
    source = tmp_path / "model.onnx"
    if content is not None:
        source.write_bytes(content)
    done = freezer("freeze", source, "-o", tmp_path / "out.onnx")
    assert done.returncode in (1, 2) and not (tmp_path / "out.onnx").exists()
    assert len(done.stderr.strip().splitlines()) == 1 and words in done.stderr.lower()


def test_the_source_is_never_the_target(tmp_path):
    copy = tmp_path / "model.onnx"
    copy.write_bytes(SILERO.read_bytes())
    done = freezer("freeze", copy, "-o", copy, "--set", "sr=16000")
    assert done.returncode == 2 and "source itself" in done.stderr and sha256(copy) == sha256(SILERO)


def test_the_report_names_what_happened(tmp_path):
    done = freezer("freeze", SILERO, "-o", tmp_path / "out.onnx", "--set", "sr=16000", *SHAPES)
    assert done.returncode == 0
    for words in ("frozen to 16000", "25 If", "none", "bit for bit", "out.onnx"):
        assert words in done.stdout


def test_same_input_same_bytes(tmp_path):
    for name in ("a.onnx", "b.onnx"):
        assert freezer("freeze", SILERO, "-o", tmp_path / name, "--set", "sr=16000", "--no-verify").returncode == 0
    assert sha256(tmp_path / "a.onnx") == sha256(tmp_path / "b.onnx")


def test_provenance_is_kept_and_grows(tmp_path):
    first, second = tmp_path / "a.onnx", tmp_path / "b.onnx"
    assert freezer("freeze", SILERO, "-o", first, "--set", "sr=16000", "--no-verify").returncode == 0
    assert freezer("freeze", first, "-o", second, *SHAPES, "--no-verify").returncode == 0
    entries = {p.key: p.value for p in onnx.load(second).metadata_props}
    assert entries["freezer.0.source_sha256"] == sha256(SILERO)
    assert json.loads(entries["freezer.0.binding.sr"]) == {"dtype": "int64", "shape": [], "value": [16000]}
    assert entries["freezer.1.source_sha256"] == sha256(first)


def test_inspect_reads_a_real_file():
    done = freezer("inspect", FIXTURES / "piper_joe_medium.onnx", "--json")
    found = json.loads(done.stdout)
    assert found["nodes"] == 2755 and found["random"] == {"RandomNormalLike": 2}
    assert [v["name"] for v in found["inputs"]] == ["input", "input_lengths", "scales"]


def test_random_nodes_are_named_and_kept(tmp_path):
    target = tmp_path / "out.onnx"
    source = FIXTURES / "piper_joe_medium.onnx"
    done = freezer("freeze", source, "-o", target, "--set", "scales=[0.667,1.0,0.8]", "--json")
    report = json.loads(done.stdout)
    assert report["random"] == {"RandomNormalLike": 2} and report["verification"]["status"] == "equal"


def test_quantised_weights_do_not_grow(tmp_path):
    source, target = FIXTURES / "minilm_int8.onnx", tmp_path / "out.onnx"
    options = (
        "--set",
        "attention_mask=ones",
        "--set",
        "token_type_ids=zeros",
        "--dim",
        "batch=1",
        "--dim",
        "sequence=64",
    )
    assert freezer("freeze", source, "-o", target, *options).returncode == 0
    assert target.stat().st_size < 23_000_000
    session = ort.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == ["input_ids"]
