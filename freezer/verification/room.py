"""Whether a model's weights fit into memory, asked before anything is run."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from freezer.model_io import Source


def shortage(original: Source, limit: int) -> str:
    """Why a model cannot be run in a process of `limit` bytes, and what to do; "" if nothing says so."""
    needed = original.nbytes() + sum(original.data_files.values())
    room = min(limit, available())
    if needed <= room:
        return ""
    return (
        f"the model has {needed / 1e9:.3f} GB of weights, and {room / 1e9:.3f} GB of memory may be used to run it: "
        "on a larger machine 'freezer verify OUT --against MODEL' proves the result; --no-verify skips this"
    )


def available() -> int:
    """Bytes of memory that can be taken without swapping; a very large number where the system does not say."""
    with suppress(OSError, ValueError, IndexError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    return 1 << 62
