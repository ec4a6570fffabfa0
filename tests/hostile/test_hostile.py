"""No file can hurt: how freezer ends on each hostile one, how long it takes, how much memory, and what it touches."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile import external, files, sizes, structure
from tests.hostile.case import Case
from tests.hostile.server import ROOT, Server

CASES = [case for topic in (external, files, sizes, structure) for case in topic.cases()]
SECONDS, BYTES = 10, 1 << 30
METADATA = 4096  # bytes of names and provenance
_OLD = 946_684_800  # the year 2000: reading the canary would change its access time


@pytest.fixture(scope="module")
def server():
    running = Server()
    yield running
    running.close()


def lay_out(case: Case, root: Path) -> Path:
    """The case's folder, with a canary beside it."""
    (root / "canary").write_bytes(bytes(range(64)))
    folder = root / "model"
    folder.mkdir()
    case.make(folder)
    os.utime(root / "canary", (_OLD, _OLD))
    return folder


def arguments(case: Case) -> list[str]:
    return ["freeze", case.model, "-o", case.output, *case.arguments]


def check_canary(root: Path) -> None:
    status = os.stat(root / "canary")
    assert (status.st_atime, status.st_mtime) == (_OLD, _OLD), "the canary was touched"
    assert (root / "canary").read_bytes() == bytes(range(64))


def contents(folder: Path) -> dict[str, bytes | None]:
    """Small files by name; None for what is no file."""
    found = (p for p in folder.rglob("*") if p.name != "out.onnx")
    return {str(p): p.read_bytes() if p.is_file() and p.stat().st_size < 1 << 20 and os.access(p, os.R_OK) else None
            for p in found if not p.is_symlink() and p.lstat().st_nlink == 1}  # fmt: skip


def check_words(case: Case, code: int, stdout: str, stderr: str) -> None:
    assert code == case.code, stderr
    lines = [line for line in stderr.splitlines() if line.strip()]
    if case.code:
        assert len(lines) == 1 and lines[0].startswith("error: ") and len(lines[0]) < 2000, stderr[:4000]
        assert re.search(case.words, lines[0]), lines[0]
        assert "internal error" not in lines[0] and "Traceback" not in stderr
    else:
        assert not lines, stderr
        assert re.search(case.reason, stdout, re.DOTALL), stdout
    assert all(c.isprintable() or c == "\n" for c in stderr + stdout)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hostile(case, tmp_path, server):
    folder = lay_out(case, tmp_path)
    before = contents(folder)
    ended = server.run(arguments(case), folder, case.file_size)
    check_canary(tmp_path)
    check_words(case, ended.code, ended.stdout, ended.stderr)
    assert contents(folder) == before, "files of the model changed, or new ones were left"
    assert (folder / "out.onnx").is_file() == (case.code == 0)
    if case.code == 0:
        assert (folder / "out.onnx").stat().st_size <= (folder / "m.onnx").stat().st_size + METADATA, "it grew"
    assert ended.seconds < SECONDS and ended.peak < BYTES, (ended.seconds, ended.peak)


@pytest.mark.parametrize("case", CASES[::40], ids=str)
def test_the_command_itself_ends_the_same(case, tmp_path):
    folder = lay_out(case, tmp_path)
    command = [sys.executable, "-m", "freezer", *arguments(case)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=60)
    check_words(case, done.returncode, done.stdout, done.stderr)
    check_canary(tmp_path)


def test_there_are_enough_cases():
    assert len(CASES) >= 150 and len({c.name for c in CASES}) == len(CASES)
