"""freezer verify OUT --against MODEL."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.cli.run import freezer
from tests.cli.test_recipe import folder, frozen  # noqa: F401

pytestmark = pytest.mark.usefixtures("folder")


def verify(folder, *arguments, name="out.onnx"):  # noqa: F811
    return freezer("verify", folder / name, "--against", folder / "m.onnx", *arguments)


def test_a_file_is_proven_with_the_value_of_which_it_has_the_hash(folder):  # noqa: F811
    frozen(folder)
    done = verify(folder)
    assert done.returncode == 2 and "give it with --set shift=VALUE" in done.stderr
    done = verify(folder, "--set", f"shift=@{folder}/shift.npy")
    assert done.returncode == 0 and done.stdout.startswith("verified  equal bit for bit: 1 output, 3 feeds")


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ("shift=full(1)[400]", 1, "'shift' was frozen to float32 [400], sha256"),
        ("scale=0.25", 1, "'scale' was frozen to float32 [], [0.5]; the value given is float32 [], [0.25]"),
        ("x=ones[2,400]", 2, "'x' was not frozen in this file"),
    ],
)
def test_another_value_is_refused(folder, given, code, said):  # noqa: F811
    frozen(folder)
    sets = ["--set", given] + ([] if given.startswith("shift") else ["--set", f"shift=@{folder}/shift.npy"])
    done = verify(folder, *sets)
    assert done.returncode == code and said in done.stderr


def test_another_source_is_refused(folder):  # noqa: F811
    frozen(folder)
    with open(folder / "m.onnx", "rb+") as file:
        content = file.read().replace(b"Mul", b"Div")
        file.seek(0)
        file.write(content)
    done = verify(folder, "--set", f"shift=@{folder}/shift.npy")
    assert done.returncode == 1 and "was made from" in done.stderr
    done = freezer("verify", folder / "m.onnx", "--against", folder / "m.onnx")
    assert done.returncode == 1 and "has no metadata of a freeze" in done.stderr


def test_a_wrong_residual_is_not_proven(folder):  # noqa: F811
    path = frozen(folder)
    model = onnx.load(path)
    model.graph.node[0].op_type = "Sub"
    onnx.save(model, path)
    done = verify(folder, "--set", f"shift=@{folder}/shift.npy")
    assert done.returncode == 1 and "output 'y' differs on feed" in done.stderr


def test_a_file_frozen_twice_is_proven_against_either_source(folder):  # noqa: F811
    for source, target, value in (("m", "a", "scale=nan"), ("a", "b", "shift=arange[5]")):
        done = freezer("freeze", folder / f"{source}.onnx", "-o", folder / f"{target}.onnx", "--set", value)
        assert done.returncode == 0, done.stderr
    for source in ("m", "a"):
        done = freezer("verify", folder / "b.onnx", "--against", folder / f"{source}.onnx")
        assert done.returncode == 0, done.stderr


def test_all_kinds_of_values_come_back(tmp_path):
    text = """<ir_version: 10, opset_import: ["": 18]>
    g (float[N] x, bool[2] b, int8[2] i, float16[2] h, string[1] s) => (float[N] x2, bool[2] b2, int8[2] i2,
    float16[2] h2, string[1] s2) { x2 = Relu(x) b2 = Not(b) i2 = Abs(i) h2 = Neg(h) s2 = Identity(s) }"""
    (tmp_path / "m.onnx").write_bytes(onnx.parser.parse_model(text).SerializeToString())
    np.save(tmp_path / "h.npy", np.array([np.inf, 0.1], np.float16))
    sets = ("--set", "b=[true,false]", "--set", "i=[-8,127]", "--set", f"h=@{tmp_path}/h.npy", "--set", 's=["é"]')
    done = freezer("freeze", tmp_path / "m.onnx", "-o", tmp_path / "out.onnx", *sets)
    assert done.returncode == 0, done.stderr
    done = verify(tmp_path)
    assert done.returncode == 0, done.stderr


def test_defaults_that_were_frozen_are_the_sources(tmp_path):
    text = """<ir_version: 10, opset_import: ["": 18]>
    g (float[2] x, float[2] w, float[2] v) => (float[2] y) <float[2] w = {1, 2}, float[2] v = {3, 4}>
    { m = Mul (x, w)  y = Add (m, v) }"""
    onnx.save(onnx.parser.parse_model(text), tmp_path / "m.onnx")
    out = tmp_path / "out.onnx"
    done = freezer("freeze", tmp_path / "m.onnx", "-o", out, "--freeze-defaults", "--set", "v=[5,6]")
    assert done.returncode == 0, done.stderr
    recorded = [p.key for p in onnx.load(out).metadata_props if ".binding." in p.key]
    done = verify(tmp_path)
    assert recorded == ["freezer.0.binding.v"] and "equal bit for bit" in done.stdout, done.stderr
