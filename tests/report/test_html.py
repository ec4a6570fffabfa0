"""The HTML report: what is drawn, what is said, and that nothing of a model gets out of its place."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import onnx_ir as ir
import pytest

import freezer
from freezer.errors import UsageError
from freezer.report.html import layout
from freezer.report.html.commands import command_line, recipe_of
from freezer.report.html.drawing import Told, draw
from freezer.report.html.fates import tell_residual, tell_source
from freezer.report.html.groups import MOST, Group, group
from freezer.report.html.skeleton import Leaf, Skeleton, scopes, skeleton_of
from freezer.report.html.tables import End
from tests.cli.run import freezer as command
from tests.report.pages import BODIES, chain, hostile, page, scoped


def skeleton(model: onnx.ModelProto) -> Skeleton:
    return skeleton_of(ir.from_proto(model))


def embedded(text: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1])


def drawn(views: list[dict]) -> list[int]:
    """Every node that some view shows, as a box or as the owner of a group."""
    boxes = [box for view in views for box in view["boxes"]]
    return [b[1] for b in boxes if b[0] == "node"] + [b[4] for b in boxes if b[0] == "group" and b[4] >= 0]


def test_the_skeleton_knows_bodies_constants_and_edges():
    found = skeleton(onnx.parser.parse_model(BODIES))
    by_op = {leaf.op: (leaf.path, i) for i, leaf in enumerate(found.leaves)}
    assert by_op["Sign"][0] == ("y", "then_branch") and by_op["Tanh"][0] == ("y", "else_branch")
    assert by_op["Exp"][0] == ("z", "else_branch")
    assert (by_op["Sign"][1], by_op["Mul"][1]) in found.edges, "within a body"
    assert (0, by_op["Tanh"][1]) in found.edges, "into a body, from outside"
    assert {leaf.name: leaf.nbytes for leaf in skeleton(chain(["a", "b", "c", "d"])).leaves}["b"] == 16


def test_scopes_are_what_slashes_separate():
    assert scopes("/encoder/layer.0/MatMul", ()) == ("encoder", "layer.0")
    assert scopes("/encoder/If_1/MatMul", ("encoder",)) == ("If_1",)
    assert scopes("plain", ()) == scopes("/", ()) == scopes("", ()) == ()


def test_scopes_are_read_from_what_torch_exports():
    model = chain(["a", "b"])
    written = "['', 'encoder', 'encoder.layers.0', 'encoder.layers.0.linear', 'mul']"
    model.graph.node[0].metadata_props.add(key="pkg.torch.onnx.name_scopes", value=written)
    paths = {leaf.name: leaf.path for leaf in skeleton(model).leaves}
    assert paths["a"] == ("encoder", "layers.0", "linear") and paths["b"] == ()


@pytest.mark.parametrize(
    "model", [scoped(), chain([f"n{i}" for i in range(700)]), chain([f"/a/b{i}/c" for i in range(500)])]
)
def test_a_large_graph_is_groups_that_hold_every_node_once(model):
    found = draw(skeleton(model), lambda leaf: Told("kept"))
    assert sorted(drawn(found.views)) == list(range(len(found.nodes)))
    assert max(len(view["boxes"]) for view in found.views) <= MOST + 24 and len(found.views) > 5
    opened = sorted(box[1] for view in found.views for box in view["boxes"] if box[0] == "group")
    assert opened == list(range(1, len(found.views))), "every group is in one place"


def test_scopes_become_groups_by_name():
    root = group(skeleton(scoped()))
    encoder = next(entry for entry in root.entries if isinstance(entry, Group))
    assert encoder.label == "encoder" and len(encoder.entries) == 40
    assert {e.label for e in encoder.entries if isinstance(e, Group)} == {f"layer.{i}" for i in range(40)}


def test_a_small_graph_is_drawn_whole():
    found = draw(skeleton(chain([f"/a/b{i}/c" for i in range(20)])), lambda leaf: Told("kept"))
    assert len(found.views) == 1 and len(found.views[0]["boxes"]) == 24


def test_a_graph_of_too_many_nodes_is_not_drawn():
    assert draw(Skeleton([Leaf("n", "Add", ())] * 20_001), lambda leaf: Told("kept")) is None


@pytest.mark.parametrize("library", ["fast_sugiyama", "networkx"])
def test_boxes_stand_apart_and_lines_join_them(library, monkeypatch):
    if library == "fast_sugiyama":
        pytest.importorskip(library)
    else:
        monkeypatch.setattr(layout, "find_spec", lambda name: None)
    draws = np.random.default_rng(5)
    edges = [(int(a), int(b)) for a, b in draws.integers(0, 40, (60, 2)) if a != b] + [(3, 4), (4, 3)]
    for count, given in [(40, edges), (60, edges), (3, []), (30, []), (1, []), (2, [(0, 1)]), (0, [])]:
        points, lines = layout.place(count, given)
        assert len(points) == count
        for i, (x, y) in enumerate(points):
            near = [p for p in points[:i] if abs(p[0] - x) < layout.WIDTH and abs(p[1] - y) < layout.HEIGHT]
            assert not near, (count, i)
        assert [(line[0], line[-1]) for line in lines] == [(points[a], points[b]) for a, b in given]


def test_the_page_says_what_was_done(tmp_path):
    model = onnx.parser.parse_model(BODIES)
    text = page(model, tmp_path / "r.html", {"hard": np.array(True)}, dims={"N": 3}).read_text()
    assert "frozen to true" in text and "now float32 [3]" in text and "N = 3" in text
    assert "Not verified, as asked" in text and "freezer.0.source_sha256" in text
    assert "&#39;late&#39;" in text, "the reason why the second If stayed"
    data = embedded(text)
    assert {"If", "Sign", "Tanh", "Exp"} <= {node[1] for node in data["original"]["nodes"]}
    residual = {node[1] for node in data["residual"]["nodes"]}
    assert {"If", "Sign", "Exp"} <= residual and "Tanh" not in residual
    fates = {n[1]: data["original"]["fates"][n[2]] for n in data["original"]["nodes"]}
    assert fates["Tanh"] in ("removed", "gone")


def test_a_trace_says_what_became_of_each_node():
    def fate(name: str, what: str, into: list[str], why: str = "") -> SimpleNamespace:
        return SimpleNamespace(op_type=name.capitalize(), fate=what, into=into, why=why)

    told = [fate("exp", "kept", ["exp"]), fate("add", "changed", ["sum"]), fate("cos", "folded", ["c"], "all frozen")]
    trace = SimpleNamespace(nodes=dict(zip(["exp", "add", "cos"], told, strict=True)), reasons={"exp": "reads x"})
    leaves = [Leaf("x", "input", ()), Leaf("k", "input", ())]
    source = Skeleton([*leaves, Leaf("exp", "Exp", ()), Leaf("add", "Add", ()), Leaf("cos", "Cos", ())])
    residual = Skeleton([leaves[0], Leaf("exp", "Exp", ()), Leaf("sum", "Sum", ())])
    said = [tell_source(residual, trace)(leaf) for leaf in source.leaves]
    assert [s.fate for s in said] == ["kept", "frozen", "kept", "changed", "folded"]
    assert said[4] == Told("folded", "all frozen", ("c",)) and said[3].others == ("sum",)
    assert said[2].others == (), "itself is no news"
    ends = [End("input", "x", "float32 [N]", "as it was", ""), End("input", "k", "float32 []", "pruned", "")]
    said = [tell_source(residual, trace, ends)(leaf) for leaf in source.leaves[:2]]
    assert said == [Told("kept", "float32 [N], as it was"), Told("gone", "float32 [], pruned")]
    now = [tell_residual(source, trace)(leaf) for leaf in residual.leaves]
    assert now == [Told("kept"), Told("kept", "reads x"), Told("new", "", ("add",))]


def test_without_a_trace_names_tell_what_is_left():
    source, residual = skeleton(chain(["a", "b"])), skeleton(chain(["b", "c"]))
    said = {leaf.name: tell_source(residual, None)(leaf).fate for leaf in source.leaves}
    assert said == {"x": "kept", "k": "kept", "a": "gone", "b": "kept", "last": "kept", "y": "kept"}
    now = {leaf.name: tell_residual(source, None)(leaf).fate for leaf in residual.leaves}
    assert (now["b"], now["c"]) == ("kept", "new")


def test_hostile_names_stay_text(tmp_path):
    text = page(hostile(), tmp_path / "r.html", {"k": 2.0}).read_text()
    assert "attacked" in text and "<img" not in text and "<!--" not in text
    assert len(re.findall("<script", text)) == 2 and len(re.findall("</script", text)) == 2
    assert "49" not in html.unescape(text).split("{{ 7 * 7 }}")[1][:3]
    assert not re.search("[\u202e\u2028\x1b]", text)
    assert "x" * 400 not in text, "long names are cut"


def test_the_policy_allows_this_page_and_nothing_else(tmp_path):
    text = page(chain(["a"]), tmp_path / "r.html", {"k": 2.0}).read_text()
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1])
    assert policy.startswith("default-src 'none'; ")
    for kind, tag in (("style", "<style>(.*?)</style>"), ("script", "<script>(.*?)</script>")):
        digest = hashlib.sha256(re.search(tag, text, re.DOTALL)[1].encode()).digest()
        assert f"{kind}-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert not re.search(r"https?:|@import|url\((?!#)|style=", text)


def test_the_command_line_freezes_again():
    model = onnx.parser.parse_model(BODIES.replace("bool hard", "bool[1] hard").replace("If (hard)", "If (hard) "))
    frozen = freezer.freeze(model, {"hard": [True]}, shapes={"x": [5]}, verify=False, prune_inputs=True, unroll_nodes=7)
    words = shlex.split(command_line(recipe_of(frozen.report, frozen.bindings, frozen.options)).replace("\\\n", " "))
    assert words[:5] == ["freezer", "freeze", "<proto>", "-o", "residual.onnx"]
    pairs = dict(zip(words[5::2], words[6::2], strict=False))
    assert json.loads(pairs["--set"].removeprefix("hard=").lower()) == [True] and pairs["--shape"] == "x=5"
    assert "--prune-inputs" in words and words[words.index("--unroll-nodes") + 1] == "7"


def test_the_recipe_on_the_page_freezes_again(tmp_path, monkeypatch):
    onnx.save(chain(["a", "b"]), tmp_path / "m.onnx")
    monkeypatch.chdir(tmp_path)
    frozen = freezer.freeze("m.onnx", {"k": 2.0}, verify=False, prune_inputs=True)
    frozen.save("out.onnx")
    frozen.write_report("r.html")
    first = Path("out.onnx").read_bytes()
    text = re.search('<pre id="recipe"[^>]*><code>(.*?)</code>', Path("r.html").read_text(), re.DOTALL)[1]
    Path("r.toml").write_text(html.unescape(text))
    Path("out.onnx").unlink()
    recipe = freezer.read_recipe("r.toml")
    assert recipe.source_sha256 == hashlib.sha256(Path("m.onnx").read_bytes()).hexdigest()
    assert command("freeze", "--recipe", tmp_path / "r.toml", "--no-verify").returncode == 0
    assert Path("out.onnx").read_bytes() == first


def test_a_model_without_a_file_has_no_recipe(tmp_path):
    freezer.freeze(chain(["a"]), {"k": 2.0}, verify=False).write_report(tmp_path / "r.html")
    assert (
        'id="command"' in (tmp_path / "r.html").read_text() and 'id="recipe"' not in (tmp_path / "r.html").read_text()
    )


def test_the_report_never_replaces_the_source_or_the_result(tmp_path):
    source, out = tmp_path / "m.onnx", tmp_path / "out.onnx"
    onnx.save(chain(["a", "b"]), source)
    frozen = freezer.freeze(source, {"k": 2.0}, verify=False)
    frozen.save(out)
    before = out.read_bytes()
    freezer.freeze(source, {"k": 2.0}, verify=False).write_report(tmp_path / "unsaved.html")
    assert "frozen, not saved" in (tmp_path / "unsaved.html").read_text()
    (tmp_path / "unsaved.html").unlink()
    for path in (source, out, tmp_path, tmp_path / "no" / "r.html"):
        with pytest.raises(UsageError):
            frozen.write_report(path)
    frozen.write_report(tmp_path / "r.html")
    with pytest.raises(UsageError, match="exists already"):
        frozen.write_report(tmp_path / "r.html", overwrite=False)
    assert out.read_bytes() == before and sorted(p.name for p in tmp_path.iterdir()) == ["m.onnx", "out.onnx", "r.html"]


def test_the_command_writes_the_page(tmp_path):
    onnx.save(chain(["a", "b"]), tmp_path / "m.onnx")
    source, out = tmp_path / "m.onnx", tmp_path / "out.onnx"
    given = ["freeze", source, "-o", out, "--set", "k=2.0", "--no-verify", "--report"]
    refused = command(*given, tmp_path / "." / "out.onnx")
    assert refused.returncode == 2 and "would replace the output" in refused.stderr
    assert not out.exists()
    assert command(*given, tmp_path / "r.html").returncode == 0
    assert f"freezer freeze {source} -o {out}" in (tmp_path / "r.html").read_text()


def test_names_break_after_their_separators_and_stay_text(tmp_path):
    text = page(chain(["/a/b.c_d"], stored="</bdi><b>/w"), tmp_path / "r.html", {"k": 2.0}).read_text()
    assert "&lt;/<wbr>bdi&gt;&lt;b&gt;/<wbr>w" in text and "<b>/" not in text


def test_what_is_computed_is_counted(tmp_path):
    frozen = freezer.freeze(chain(["a"]), {"k": 2.0}, verify=False)
    frozen.report.kept.append({"value": "mask", "nbytes": 4000, "node": "Expand"})
    frozen.write_report(tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    assert (
        "Computed: 1 static value at run time: storing it would take 4.00 KB." in text and "<code>mask</code>" in text
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "Not verified, as asked (--no-verify)."),
        ({"status": "equal", "message": "equal bit for bit"}, "Verified, equal bit for bit."),
        ({"status": "unverified", "message": "not verified: no kernel"}, "Not verified, no kernel."),
    ],
)
def test_the_verdict_is_said_once(tmp_path, found, words):
    frozen = freezer.freeze(chain(["a"]), {"k": 2.0}, verify=False)
    rest = {"outputs": [], "feeds": [], "loads_optimised": None}
    frozen.report = replace(frozen.report, verification=None if found is None else found | rest)
    frozen.write_report(tmp_path / "r.html")
    assert f"<p>{words}</p>" in (tmp_path / "r.html").read_text()
