"""Runs freezer many times as a process of its own, without importing it anew each time: a fork for each command."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HANG = 60  # seconds


@dataclass
class Ended:
    """code: the exit code, negative for a signal. peak: bytes of the largest process, children included."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    peak: int


class Server:
    """The process that forks; close() ends it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from tests.hostile.server import serve; serve()"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip

    def run(self, arguments: list[str], folder: Path, file_size: int | None = None) -> Ended:
        """Run `freezer` with these arguments in a folder. file_size: the largest file it may write."""
        assert self._process.stdin and self._process.stdout
        request = {"arguments": arguments, "folder": str(folder), "file_size": file_size}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        return Ended(stdout=_taken(folder, "stdout"), stderr=_taken(folder, "stderr"), **answer)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def _taken(folder: Path, name: str) -> str:
    path = folder.with_name(name)
    return path.read_text(errors="replace")


def serve() -> None:
    """Answer a line of JSON for each line of JSON."""
    import freezer.api
    import freezer.cli.freeze
    import freezer.model_io
    import freezer.report.terminal  # noqa: F401

    os.set_inheritable(0, False)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)


def _answer(request: dict) -> dict:
    start = time.monotonic()
    pid = os.fork()
    if not pid:
        _run(request)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(pid, signal.SIGKILL))
    signal.alarm(HANG)
    _, status, usage = os.wait4(pid, 0)
    signal.alarm(0)
    return {
        "code": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - start, "peak": usage.ru_maxrss << 10,
    }  # fmt: skip


def _run(request: dict) -> None:
    """The forked process: what `freezer` does, with its output in files beside the folder; never returns."""
    from freezer.cli import main

    code = 99
    try:
        os.setsid()
        folder = Path(request["folder"])
        os.chdir(folder)
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(folder.with_name(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        if request["file_size"] is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_size"], resource.RLIM_INFINITY))
        code = main.run(request["arguments"])
        sys.stdout.flush()
    finally:
        os._exit(code)
