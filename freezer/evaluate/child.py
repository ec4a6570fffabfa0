"""A child process with limits, which runs what could crash: onnxruntime, the checker, shape inference.

The parent calls by name; a call is one message each way: a JSON header and raw buffers. The child
inherits no file but its pipes, writes no file (unless it is told to), and has bounded memory, CPU time and wall time.
When it dies or hangs the call raises ChildError, and the next call starts a new one.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from freezer.errors import ChildError

Buffers = Sequence[bytes | bytearray | memoryview]
_LENGTH = struct.Struct("<Q")
_SERVE = "from freezer.evaluate.child import serve; serve()"


def default_memory() -> int:
    """Bytes of address space for a child: half of the machine's memory, at most 16 GiB."""
    try:
        return min(16 << 30, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)
    except (AttributeError, ValueError, OSError):  # not on Windows
        return 16 << 30


@dataclass(frozen=True)
class Limits:
    """memory: bytes of address space; cpu: seconds in the process's life; wall: seconds a call; files: bytes of a
    file that it may write.
    """

    memory: int = field(default_factory=default_memory)
    cpu: int = 1800
    wall: float = 600.0
    files: int = 0


class Child:
    """Runs the COMMANDS of a module in a process of its own.

    Started at once, so that its imports run while the parent works. Not thread-safe.
    """

    def __init__(self, module: str, limits: Limits | None = None) -> None:
        self.module = module
        self.limits = limits or Limits()
        self._process: subprocess.Popen[bytes] | None = None
        self._start()

    def call(
        self, command: str, header: dict[str, Any], buffers: Buffers = (), wall: float | None = None
    ) -> tuple[dict[str, Any], list[bytearray]]:
        """Run one command; its answer's header and buffers. Raises ChildError when the child died or hung.

        header["room"], if there is one: bytes of memory that the call may take beyond what the process has.
        """
        process = self._start()
        watchdog = threading.Timer(wall or self.limits.wall, process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            assert process.stdin and process.stdout
            _send(process.stdin, {"command": command, **header}, buffers)
            return _receive(process.stdout)
        except (OSError, EOFError, ValueError) as error:
            expired = not watchdog.is_alive()
            raise self._reap(wall or self.limits.wall if expired else None) from error
        finally:
            watchdog.cancel()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._reap(None)

    def abort(self) -> None:
        """Kill the process from another thread; the call that waits for it raises ChildError."""
        if (process := self._process) is not None:
            process.kill()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            arguments = json.dumps({"module": self.module, **asdict(self.limits)})
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SERVE, arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", env=_environment(),
            )  # fmt: skip
        return self._process

    def _reap(self, expired: float | None) -> ChildError:
        """Take the dead process away; how it ended."""
        process, self._process = self._process, None
        assert process and process.stdin and process.stdout
        process.kill()
        code = process.wait()
        process.stdout.close()
        with contextlib.suppress(OSError):  # it may hold unsent bytes
            process.stdin.close()
        if expired is not None:
            return ChildError(f"the child process was stopped after {expired:g} s")
        ended = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return ChildError(f"the child process died ({ended})", killed=ended == "SIGKILL")


def _environment() -> dict[str, str]:
    package_parent = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    paths = [package_parent, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _send(stream: IO[bytes], header: dict[str, Any], buffers: Buffers) -> None:
    sizes = [memoryview(b).nbytes for b in buffers]
    text = json.dumps({**header, "buffers": sizes}).encode()
    stream.write(_LENGTH.pack(len(text)) + text)
    for buffer in buffers:
        stream.write(buffer)
    stream.flush()


def _receive(stream: IO[bytes]) -> tuple[dict[str, Any], list[bytearray]]:
    header = json.loads(_read(stream, _LENGTH.unpack(_read(stream, _LENGTH.size))[0]))
    return header, [_read(stream, size) for size in header.pop("buffers")]


def _read(stream: IO[bytes], size: int) -> bytearray:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        count = stream.readinto(view[done:])  # type: ignore[attr-defined]
        if not count:
            raise EOFError
        done += count
    return data


def serve() -> None:
    """The child's main loop: set the limits, import the module, answer until the pipe closes."""
    arguments = json.loads(sys.argv[1])
    requests, answers = _own_pipes()
    _limit(arguments["memory"], arguments["cpu"], arguments["files"])
    module = __import__(arguments["module"], fromlist=["COMMANDS"])
    while True:
        try:
            header, buffers = _receive(requests)
        except EOFError:
            os._exit(0)
        with _room(header.pop("room", None)):
            answer = module.COMMANDS[header.pop("command")](header, buffers)
        _send(answers, *answer)


@contextlib.contextmanager
def _room(nbytes: int | None) -> Iterator[None]:
    """At most this much more memory for one call; None for as much as the process may have."""
    if nbytes is None or sys.platform != "linux":
        yield
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (min(pages * resource.getpagesize() + nbytes, most), most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _own_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """The message pipes, moved away from stdin and stdout, which stray prints may use."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    return requests, answers


def _limit(memory: int, cpu: int, files: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows: there only the wall limit holds
        return
    for kind, value in (("AS", memory), ("CPU", cpu), ("CORE", 0), ("FSIZE", files), ("NOFILE", 256)):
        resource.setrlimit(getattr(resource, f"RLIMIT_{kind}"), (value, value))
