"""What the child of the tests does."""

from __future__ import annotations

import os
import signal
import time


def echo(header, buffers):
    return header, buffers


def die(header, buffers):
    os.kill(os.getpid(), signal.SIGSEGV)


def hang(header, buffers):
    time.sleep(60)


def write(header, buffers):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with open(header["path"], "wb", buffering=0) as file:
            return {"written": file.write(b"x" * 10)}, []
    except OSError:
        return {"written": 0}, []


def allocate(header, buffers):
    try:
        bytearray(header["nbytes"])
    except MemoryError:
        return {"failed": "MemoryError"}, []
    return {"failed": None}, []


COMMANDS = {"echo": echo, "die": die, "hang": hang, "write": write, "allocate": allocate}
