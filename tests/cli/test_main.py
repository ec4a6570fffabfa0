"""The command line's contract: exit codes, one line for every error, nothing heavy for help."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import onnx
import pytest

from freezer.cli import main
from tests.cli.run import ROOT, freezer

# As Silero VAD: a sample rate that chooses between two branches.
TEXT = """<ir_version: 10, opset_import: ["": 18]>
g (float[batch,n] input, float[2,batch,8] state, int64 sr) => (float[batch,n] output) {
   fast = Constant <value = int64 {16000}> ()
   is_fast = Equal (sr, fast)
   output = If (is_fast) <
      then_branch = t () => (float[batch,n] a) { a = Tanh (input) },
      else_branch = e () => (float[batch,n] b) { b = Sin (input) }>
}"""

WEIGHTS = """<ir_version: 10, opset_import: ["": 18]>
g (float[2] x) => (float[2] y) <float[2] w = {1.0, 2.0}> { y = Mul (x, w) }"""


@pytest.fixture
def model(tmp_path):
    onnx.save(onnx.parser.parse_model(TEXT), tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


def refused(capsys, *arguments: object) -> tuple[int, str]:
    """Exit code and the one error line."""
    code = main.run([str(a) for a in arguments])
    out, err = capsys.readouterr()
    assert not out and err.startswith("error: ") and err.endswith("\n") and err.count("\n") == 1
    return code, err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "sr=16000.5"], "cannot freeze 'sr': the model expects int64, shape []; the value 16000.5 is not an"),
        (["--set", "sr=[1,2]"], "cannot freeze 'sr': the model expects int64, shape []; the value has shape [2]"),
        (["--set", "rs=16000"], "cannot freeze 'rs': the model has no such input; did you mean 'sr'?"),
        (["--set", "sr"], "--set takes NAME=VALUE, not 'sr'"),
        (["--set", "sr=1", "--set", "sr=2"], "--set sr is given twice"),
        (["--dim", "batch=-1"], "--dim batch=-1: '-1' is not a size"),
        (["--dim", "batsh=1"], "did you mean 'batch'?"),
        (["--shape", "input=1,_,_"], "'input'"),
        (["--shape", "input=1,x"], "'x' is not a size"),
        (["--dim", "batch=1", "--shape", "state=2,3,8"], "--dim batch=1"),
        (["--max-growth", "much"], "'much' is not a valid integer"),
        (["--max-growth", "-1"], "-1 is not in the range"),
        (["--unroll-nodes", "-1"], "-1 is not in the range"),
        (["--largest-constant", "-1"], "-1 is not in the range"),
        (["--seconds", "0"], "give seconds > 0"),
        (["--seconds", "nan"], "give seconds > 0"),
        (["--engine", "what"], "there are native, "),
        (["--allow-link", "nowhere"], "'nowhere' does not exist"),
        (["--external-data", "inline", "--data-file", "w.data"], "drop it, or --data-file"),
        (["--trace", "t.json", "--then", "onnxruntime"], "drop --trace or --then"),
        (["--frob"], "'--frob'; see freezer freeze --help"),
        (["--set"], "requires an argument; see freezer"),
        (["--set", ""], "the argument after '--set' is empty"),
        (["--set", "sr=\n"], "'sr'"),
    ],
)
def test_bad_use_exits_2_and_leaves_nothing(capsys, tmp_path, model, arguments, words):
    code, line = refused(capsys, "freeze", model, "-o", tmp_path / "out.onnx", *arguments)
    assert code == 2 and words in line and [p.name for p in tmp_path.iterdir()] == ["model.onnx"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["frieze"], 2, "no such command 'frieze'; did you mean 'freeze'?"),
        (["xyz"], 2, "there are freeze, inspect"),
        (["freeze"], 2, "no model is given"),
        (["freeze", "model.onnx"], 2, "add -o OUT"),
        (["inspect", "nowhere/model.onnx"], 1, "there is no file 'nowhere/model.onnx'"),
        (["fingerprint", "/"], 1, "is a folder"),
    ],
)
def test_other_errors(capsys, arguments, code, words):
    found, line = refused(capsys, *arguments)
    assert found == code and words in line


def test_where_the_output_can_not_be(capsys, tmp_path, model):
    for target, words in (
        (model, "the source itself"),
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "x", "create it"),
    ):
        code, line = refused(capsys, "freeze", model, "-o", target)
        assert code == 2 and words in line


@pytest.mark.parametrize("option", ["--trace", "--report", "--write-recipe"])
def test_no_file_replaces_what_is_read_or_another(capsys, tmp_path, model, option):
    before = model.read_bytes()
    (tmp_path / "sr.json").write_text("16000")
    values, out = ["--set", f"sr=@{tmp_path / 'sr.json'}"], tmp_path / "out.onnx"
    others = ["--report", tmp_path / "a.html", "--trace", tmp_path / "a.json", "--write-recipe", tmp_path / "a.toml"]
    others = [word for pair in zip(others[::2], others[1::2], strict=True) if pair[0] != option for word in pair]
    for place, words in (
        (model, "the source itself"),
        (out, "would replace the output"),
        (tmp_path / "sr.json", "would replace the file of a frozen value"),
        (others[1], "would replace"),
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "x", "create it"),
    ):
        code, line = refused(capsys, "freeze", model, "-o", out, *values, *others, option, place)
        assert code == 2 and words in line
        assert model.read_bytes() == before and {p.name for p in tmp_path.iterdir()} == {"model.onnx", "sr.json"}


def test_no_trace_replaces_weights(capsys, tmp_path, model):
    weighty = onnx.parser.parse_model(WEIGHTS)
    raw = onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weighty.graph.initializer[0]), "w")
    weighty.graph.initializer[0].CopyFrom(raw)
    onnx.save(weighty, tmp_path / "w.onnx", save_as_external_data=True, location="w.data", size_threshold=0)
    before = (tmp_path / "w.data").read_bytes()
    arguments = ("freeze", tmp_path / "w.onnx", "-o", tmp_path / "out.onnx", "--trace", tmp_path / "w.data")
    code, line = refused(capsys, *arguments)
    assert code == 2 and "holds weights" in line
    assert (tmp_path / "w.data").read_bytes() == before and not (tmp_path / "out.onnx").exists()


def test_an_unexpected_fault_is_one_line(capsys, monkeypatch, model):
    def broken(*_: object) -> None:
        raise KeyError("a\nb")

    monkeypatch.setattr("freezer.api.inspect", broken)
    monkeypatch.delenv(main.DEBUG, raising=False)
    code, line = refused(capsys, "inspect", model)
    assert code == 1 and line.startswith("error: internal error: KeyError: ") and "please report it" in line
    monkeypatch.setenv(main.DEBUG, "1")
    with pytest.raises(KeyError):
        main.run(["inspect", str(model)])


def test_help_without_arguments(capsys):
    assert main.run([]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in main.COMMANDS)


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_explains_itself(capsys, name):
    assert main.run([name, "--help"]) == 0
    assert f"Usage: freezer {name}" in capsys.readouterr().out


def test_diff_says_so_with_its_exit_code(capsys, tmp_path, model):
    onnx.save(onnx.parser.parse_model(TEXT.replace("Tanh", "Cos")), tmp_path / "other.onnx")
    assert main.run(["diff", str(model), str(model)]) == 0
    assert main.run(["diff", str(model), str(tmp_path / "other.onnx")]) == 1


def test_json_is_all_there_is_on_stdout(capsys, tmp_path, model):
    for command in (
        ["freeze", str(model), "-o", str(tmp_path / "o.onnx"), "--set", "sr=16000"],
        ["inspect", str(model)],
    ):
        assert main.run([*command, "--json"]) == 0
        out, err = capsys.readouterr()
        assert json.loads(out)["source" if command[0] == "freeze" else "nodes"] and not err


def test_dims_that_follow_are_reported(capsys, tmp_path, model):
    target = tmp_path / "out.onnx"
    assert main.run(["freeze", str(model), "-o", str(target), "--set", "sr=16000", "--set", "state=zeros[2,3,8]"]) == 0
    out = capsys.readouterr().out
    assert "state [2, 3, 8] binds batch=3" in out and "float32 [3, n]" in out
    assert [n.op_type for n in onnx.load(target).graph.node] == ["Tanh"]


def test_without_verification(capsys, tmp_path, model):
    arguments = ["freeze", str(model), "-o", str(tmp_path / "out.onnx"), "--set", "sr=8000", "--no-verify"]
    assert main.run(arguments) == 0 and "not verified" in capsys.readouterr().out


def test_what_nothing_runs_is_unverified_and_refused_by_strict(capsys, tmp_path):
    text = TEXT.replace('"": 18', '"": 18, "odd": 1').replace("Sin", "odd.Sin")
    onnx.save(onnx.parser.parse_model(text), tmp_path / "odd.onnx")
    arguments = ["freeze", str(tmp_path / "odd.onnx"), "-o", str(tmp_path / "out.onnx"), "--set", "sr=8000"]
    code, line = refused(capsys, *arguments, "--strict")
    assert code == 1 and "not verified" in line and not (tmp_path / "out.onnx").exists()
    assert main.run(arguments) == 0
    out = capsys.readouterr().out
    assert "not verified  nothing here runs the original" in out and "unknown   1 odd.Sin" in out


def test_a_closed_pipe_is_no_fault(model):
    command = f"'{sys.executable}' -m freezer inspect '{model}' --json | head -c 1"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "{" and "Traceback" not in done.stderr and "error" not in done.stderr


def test_an_interrupt_is_one_line(tmp_path, model):
    command = [sys.executable, "-m", "freezer", "freeze", str(model), "-o", str(tmp_path / "out.onnx")]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    time.sleep(0.6)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (0, 130, -signal.SIGINT) and "Traceback" not in err
    assert {p.name for p in tmp_path.iterdir()} <= {"model.onnx", "out.onnx"}


def test_the_module_and_the_command_are_the_same():
    done = freezer("--version")
    assert done.returncode == 0 and done.stdout.startswith("freezer, version ")
