"""Saving: deterministic, whole or not at all, weights shared where they can be."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnx import numpy_helper

from freezer.errors import FreezerError, LimitError, UsageError
from freezer.model_io import load, save, saving, to_proto
from tests.model_io.models import add, constant_node, external_add, external_tensor, parsed, write, write_weights


@pytest.fixture
def external(tmp_path):
    """A model whose w is the second half of w.data, in a folder of its own."""
    folder = tmp_path / "source"
    folder.mkdir()
    write_weights(folder, 4096)
    tensor = external_tensor("w", 2048, location="w.data", offset=8192, length=8192)
    return load(write(external_add(tensor), folder / "m.onnx"))


def test_an_inline_model_is_one_file_with_the_same_bytes_each_time(tmp_path):
    model = load(add()).model
    saved = save(model, tmp_path / "a.onnx")
    save(model, tmp_path / "b.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    assert saved == saving.Saved(tmp_path / "a.onnx", saved.nbytes, saved.nbytes, 0, None)
    assert sorted(os.listdir(tmp_path)) == ["a.onnx", "b.onnx"]
    onnx.checker.check_model(onnx.load(tmp_path / "a.onnx"))


def test_beside_the_source_weights_are_shared_at_their_offsets(external, tmp_path):
    saved = save(external.model, tmp_path / "source" / "out.onnx", source=external.path)
    assert saved.shared_bytes == 8192 and saved.data_file is None
    assert saved.shared_files == (tmp_path / "source" / "w.data",)
    stored = onnx.load(saved.path, load_external_data=False).graph.initializer[0]
    assert {e.key: e.value for e in stored.external_data} == {"location": "w.data", "offset": "8192", "length": "8192"}
    assert sorted(os.listdir(saved.path.parent)) == ["m.onnx", "out.onnx", "w.data"]


def test_the_folder_is_the_same_by_whatever_name(external, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "source")
    assert save(external.model, "out.onnx").shared_bytes == 8192
    os.symlink(tmp_path / "source", tmp_path / "alias")
    assert save(external.model, tmp_path / "alias" / "out2.onnx").shared_bytes == 8192


def test_in_another_folder_only_the_bytes_in_use_are_copied(external, tmp_path):
    saved = save(external.model, tmp_path / "out.onnx")
    assert saved.data_file == tmp_path / "out.onnx.data" and saved.shared_bytes == 0
    assert saved.data_file.stat().st_size == 8192 and saved.own_bytes == saved.nbytes + 8192
    weights = load(saved.path).model.graph.initializers["w"].const_value.numpy()
    assert weights.tolist() == list(range(2049, 4097))
    assert external.model.graph.initializers["w"].const_value.location == "w.data"


def test_copies_work_without_help_from_the_kernel(external, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EXDEV, "cross-device")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    saved = save(external.model, tmp_path / "out.onnx")
    assert saved.data_file.read_bytes() == (tmp_path / "source" / "w.data").read_bytes()[8192:]


def test_a_tensor_used_twice_is_copied_once_and_large_ones_start_on_a_page(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    write_weights(folder, 4096)
    model = parsed("g (float[n] x) => (float[n] y) { y = Sum(x, a, b, c) }")
    for name, count, offset in (("a", 100, 0), ("b", 2048, 8192), ("c", 2048, 8192)):
        model.graph.initializer.append(external_tensor(name, count, location="w.data", offset=offset))
    saved = save(load(write(model, folder / "m.onnx")).model, tmp_path / "out.onnx")
    found = {t.name: t for t in onnx.load(saved.path, load_external_data=False).graph.initializer}
    offsets = {n: int(next(e.value for e in t.external_data if e.key == "offset")) for n, t in found.items()}
    assert offsets == {"a": 0, "b": 4096, "c": 4096}
    assert saved.data_file.stat().st_size == 4096 + 8192


def test_external_tensors_of_attributes_move_too(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    weights = write_weights(folder)
    model = parsed("g () => (float[4] y) { y = Constant<value = float {0}>() }")
    model.graph.node[0].CopyFrom(constant_node(external_tensor("v", 4, location="w.data"), "y"))
    saved = save(load(write(model, folder / "m.onnx")).model, tmp_path / "out.onnx")
    again = load(saved.path).model.graph.node(0).attributes["value"].as_tensor()
    assert again.path == str(tmp_path / "out.onnx.data") and np.array_equal(again.numpy(), weights)


def large() -> onnx.ModelProto:
    model = add()
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.arange(1000, dtype=np.float32), "w"))
    return model


def test_external_mode_moves_what_is_large(tmp_path):
    model = load(large()).model
    model.graph.node(0).name = "keeps"
    saved = save(model, tmp_path / "out.onnx", external_data="external", data_file="weights.bin")
    assert saved.data_file == tmp_path / "weights.bin" and saved.data_file.stat().st_size == 4000
    assert not isinstance(model.graph.initializers["w"].const_value, ir.ExternalTensor)
    assert load(saved.path).model.graph.initializers["w"].const_value.numpy().tolist() == list(range(1000))
    assert save(load(add()).model, tmp_path / "small.onnx", external_data="external").data_file is None


def test_inline_mode_takes_everything_in(external, tmp_path):
    saved = save(external.model, tmp_path / "source" / "out.onnx", external_data="inline")
    assert saved.data_file is None and saved.shared_bytes == 0 and saved.nbytes > 8192
    assert onnx.load(saved.path, load_external_data=False).graph.initializer[0].data_location == 0


def test_more_than_fits_inline_goes_beside_the_model(tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "LARGEST_INLINE", 3999)
    model = load(large()).model
    assert save(model, tmp_path / "out.onnx").data_file == tmp_path / "out.onnx.data"
    with pytest.raises(LimitError, match="4000 bytes of constants"):
        save(model, tmp_path / "in.onnx", external_data="inline")


def test_2_gib_inline_is_refused_before_it_is_built(tmp_path):
    with open(tmp_path / "w.data", "wb") as file:
        file.truncate(3 << 30)
    model = load(write(external_add(external_tensor("w", 3 << 28, location="w.data")), tmp_path / "m.onnx")).model
    with pytest.raises(LimitError, match="inline there is room for"):
        save(model, tmp_path / "out.onnx", external_data="inline")


def test_a_data_file_with_other_content_is_never_overwritten(external, tmp_path):
    first = save(external.model, tmp_path / "out.onnx")
    assert save(external.model, tmp_path / "out.onnx") == first
    changed = load(large()).model
    second = save(changed, tmp_path / "out.onnx", external_data="external")
    assert second.data_file == tmp_path / "out.onnx.1.data"
    assert first.data_file.stat().st_size == 8192
    with pytest.raises(UsageError, match="exists already, with other content"):
        save(changed, tmp_path / "out.onnx", external_data="external", data_file="out.onnx.data")


REFUSED = {
    "no folder": ("no/out.onnx", {}, "folder '.*no' does not exist; create it first"),
    "a folder": ("source", {}, "is a folder"),
    "the source": ("source/m.onnx", {}, "is the source itself"),
    "a link to the source": ("link.onnx", {}, "is the source itself"),
    "another name of the source": ("hard.onnx", {}, "is the source itself"),
    "the weights": ("source/w.data", {}, "holds weights"),
    "a fifo": ("fifo", {}, "not a regular file"),
    "no overwriting": ("old.onnx", dict(overwrite=False), "exists already"),
    "mode": ("out.onnx", dict(external_data="other"), "can be auto, inline, external"),
    "data path": ("out.onnx", dict(data_file="../x"), "plain file name"),
    "data is output": ("out.onnx", dict(data_file="out.onnx"), "plain file name"),
    "data is weights": ("source/out.onnx", dict(data_file="w.data", external_data="external"), "other content"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_paths_that_cannot_be_meant_are_refused(external, tmp_path, name):
    path, options, message = REFUSED[name]
    os.symlink(external.path, tmp_path / "link.onnx")
    os.link(external.path, tmp_path / "hard.onnx")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "old.onnx").write_bytes(b"old")
    model = external.model
    large_value = ir.Value(name="big", const_value=ir.tensor(np.zeros(1000, np.float32), name="big"))
    model.graph.register_initializer(large_value)
    before = contents(tmp_path)
    with pytest.raises(UsageError, match=message):
        save(model, tmp_path / path, source=external.path, **options)
    assert contents(tmp_path) == before


def contents(folder) -> dict[str, bytes | None]:
    found = sorted(folder.rglob("*"))
    return {str(p): p.read_bytes() if p.is_file() else None for p in found}


@pytest.mark.parametrize("fail_at", ["write", "fsync", "replace"])
def test_nothing_is_left_when_the_system_refuses(external, tmp_path, monkeypatch, fail_at):
    (tmp_path / "out.onnx").write_bytes(b"old")
    before = contents(tmp_path)

    def refuse(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    if fail_at == "write":
        monkeypatch.setattr(os, "copy_file_range", refuse)
        monkeypatch.setattr("freezer.model_io.data_file.DataWriter._advance", refuse)
    else:
        monkeypatch.setattr(os, fail_at, refuse)
    with pytest.raises(FreezerError, match=r"No space left on device; free some space; nothing was written"):
        save(external.model, tmp_path / "out.onnx")
    monkeypatch.undo()
    assert contents(tmp_path) == before


def test_when_the_model_cannot_be_named_its_new_data_file_goes_too(external, tmp_path, monkeypatch):
    replace = os.replace

    def refuse_the_model(source, target):
        if str(target).endswith(".onnx"):
            raise OSError(errno.EACCES, "Permission denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse_the_model)
    before = contents(tmp_path)
    with pytest.raises(FreezerError, match="cannot write"):
        save(external.model, tmp_path / "out.onnx")
    assert contents(tmp_path) == before


def test_an_interrupt_leaves_nothing(external, tmp_path):
    def interrupt(_):
        raise KeyboardInterrupt

    before = contents(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        save(external.model, tmp_path / "out.onnx", progress=interrupt)
    assert contents(tmp_path) == before


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path):
    """A real limit: files of this process may not pass 2000 bytes."""
    model = load(large()).model
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
        with pytest.raises(FreezerError, match="File too large"):
            save(model, tmp_path / "out.onnx")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert os.listdir(tmp_path) == []


def test_killed_while_writing_leaves_the_old_file_or_the_new_one(external, tmp_path):
    """SIGKILL at each step of an overwrite: what is under the final name loads and is old or new."""
    out = tmp_path / "out.onnx"
    old = save(load(add()).model, out).path.read_bytes()
    code = """
import os, sys, signal
from freezer.model_io import load, save
step = int(sys.argv[3])
def killing(call):
    def run(*arguments, **options):
        global step
        step -= 1
        if step < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)
    return run
model = load(sys.argv[1]).model
for name in ("copy_file_range", "fsync", "replace"):
    setattr(os, name, killing(getattr(os, name)))
save(model, sys.argv[2])
"""
    seen = []
    for step in range(8):
        command = [sys.executable, "-c", code, str(external.path), str(out), str(step)]
        killed = subprocess.run(command, cwd=os.getcwd(), timeout=60).returncode
        model = load(out).model
        seen.append((killed, out.read_bytes() == old))
        weights = model.graph.initializers["w"].const_value.numpy()
        assert weights.tolist() in ([2.0], list(range(2049, 4097)))
    assert seen[0] == (-signal.SIGKILL, True) and seen[-1] == (0, False)
    assert external.proto_bytes() == external.path.read_bytes()


def test_a_round_trip_keeps_what_a_model_says(tmp_path):
    model = parsed("g (float[n] x) => (float[n] y) { y = Neg(x) }")
    model.producer_name, model.doc_string, model.model_version = "p", "d", 3
    model.graph.node[0].name, model.graph.node[0].doc_string = "node", "text"
    onnx.helper.set_model_props(model, {"b": "2", "a": "1"})
    saved = save(load(model).model, tmp_path / "out.onnx")
    again = onnx.load(saved.path)
    assert (again.producer_name, again.doc_string, again.model_version) == ("p", "d", 3)
    assert (again.graph.node[0].name, again.graph.node[0].doc_string) == ("node", "text")
    assert {p.key: p.value for p in again.metadata_props} == {"a": "1", "b": "2"}
    assert to_proto(load(saved.path).model).SerializeToString(deterministic=True) == saved.path.read_bytes()
