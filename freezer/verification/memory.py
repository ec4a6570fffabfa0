"""Whether what a model gives depends on memory that it never wrote. Child side.

onnxruntime's Concat, fed an empty operand whose other sizes differ, leaves a part of its result as the allocator
gave it. Such a feed proves nothing: the original agrees with itself only by chance.
"""

from __future__ import annotations

import ctypes

from freezer.verification.compare import key
from freezer.verification.copies import Copy
from freezer.verification.runners import Feed, OrtRunner

_BYTES = (0x00, 0x3F, 0xFF)  # as floats: zero, about 0.7, not a number
_SIZES = (*range(16, 4096, 16), *range(4096, 120_000, 4096))
_BLOCKS = 20  # of each size


def varies(copy: Copy, feed: Feed, seconds: float) -> bool:
    """Whether a model's outputs follow what free memory holds. False where it draws random numbers anyway."""
    if copy.random:
        return False
    runner, found = OrtRunner(copy, arena=False), []
    for byte in _BYTES:
        _fill_free_memory(byte)
        found.append([key(output) for output in runner.run(feed, seconds)])
    return any(outputs != found[0] for outputs in found)


def _fill_free_memory(byte: int) -> None:
    """Leave a byte in the blocks that the C library will hand out next."""
    library = ctypes.CDLL(None)
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.free.argtypes = [ctypes.c_void_p]
    blocks = [(library.malloc(size), size) for size in _SIZES for _ in range(_BLOCKS)]
    for block, size in blocks:
        if block:
            ctypes.memset(block, byte, size)
    for block, _ in blocks:
        library.free(block)
