"""Killed at random moments, or out of space: the source stays, the target is the old file or the whole new one."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from freezer.errors import FreezerError
from freezer.model_io import load, save
from tests.model_io.models import external_add, external_tensor, parsed, write, write_weights

KILLS, FULL_DISKS = 140, 60
ELEMENTS = 300_000  # of weights: a millisecond or so of writing


@pytest.fixture
def source(tmp_path):
    """A model with external weights, in a folder of its own."""
    folder = tmp_path / "source"
    folder.mkdir()
    write_weights(folder, ELEMENTS)
    return write(external_add(external_tensor("w", ELEMENTS, location="w.data")), folder / "m.onnx")


def hashes(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


def write_old(target: Path) -> None:
    """What is under the target's name before: a model with other external weights."""
    old = parsed("g (float[n] x) => (float[n] y) { y = Add (x, w) }")
    content = np.full(ELEMENTS, 7, np.float32).tobytes()
    old.graph.initializer.add(name="w", data_type=TensorProto.FLOAT, dims=[ELEMENTS], raw_data=content)
    save(load(old).model, target, external_data="external")


def state(target: Path) -> str:
    """Which whole model lies under the name; fails for anything in between."""
    weights = load(target).model.graph.initializers["w"].const_value.numpy()
    if np.array_equal(weights, np.full(ELEMENTS, 7, np.float32)):
        return "old"
    assert np.array_equal(weights, np.arange(ELEMENTS, dtype=np.float32) + 1)
    return "new"


def forked(work) -> tuple[int, int]:
    """The process that does the work, and the pipe that says it begins."""
    read, begun = os.pipe()
    pid = os.fork()
    if not pid:
        code = 1
        try:
            os.write(begun, b"!")
            code = work()
        finally:
            os._exit(code)
    os.close(begun)
    os.read(read, 1)
    return pid, read


def how_long(source: Path, target: Path) -> float:
    """Seconds of one undisturbed writing."""
    model, start = load(source).model, time.perf_counter()
    save(model, target, source=source)
    return time.perf_counter() - start


def test_sigkill_at_random_moments(source, tmp_path):
    """Also with external data in another folder: two files are written and named."""
    rng, folder = random.Random(5), tmp_path / "out"
    folder.mkdir()
    target = folder / "o.onnx"
    seconds, model, before = how_long(source, tmp_path / "first.onnx"), load(source).model, hashes(source.parent)
    seen: list[tuple[bool, str]] = []
    for _ in range(KILLS):
        for path in folder.iterdir():
            path.unlink()
        write_old(target)
        pid, pipe = forked(lambda: save(model, target, source=source) and 0)
        time.sleep(rng.uniform(0, 1.3 * seconds))
        os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
        os.close(pipe)
        seen.append((os.WIFSIGNALED(status), state(target)))
        assert hashes(source.parent) == before
    assert (True, "old") in seen and {"new"} <= {s for _, s in seen}, "no kill met the writing, or all did"


def test_no_space_left_at_random_moments(source, tmp_path):
    """A limit on the size of files, from nothing to nearly enough: an error, and everything as before."""
    rng, folder = random.Random(6), tmp_path / "out"
    folder.mkdir()
    target = folder / "o.onnx"
    write_old(target)
    model, before, old = load(source).model, hashes(source.parent), hashes(folder)
    for _ in range(FULL_DISKS):
        most = rng.randrange(4 * ELEMENTS)
        pid, pipe = forked(lambda most=most: refused(model, target, source, most))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, most
        os.close(pipe)
        assert (hashes(source.parent), hashes(folder)) == (before, old)


def refused(model, target: Path, source: Path, most: int) -> int:
    """0 if writing ends in freezer's own error under a limit of that many bytes a file."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    try:
        save(model, target, source=source)
    except FreezerError as error:
        return 0 if "nothing was written" in str(error) else 2
    return 3
