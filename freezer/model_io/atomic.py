"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from freezer.errors import FreezerError


class Pending:
    """A new file under a temporary name beside its final one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_committed = self.is_new = False
        self.temporary = path.parent / f".freezer-{secrets.token_hex(8)}.tmp"
        number = os.open(self.temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        self.file: BinaryIO = os.fdopen(number, "wb")

    def flush(self) -> None:
        """Bring the content to the disk; the final name does not exist yet."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()

    def commit(self) -> None:
        """Give the file its final name, replacing what was there."""
        self.is_new = not os.path.lexists(self.path)
        os.replace(self.temporary, self.path)
        self.is_committed = True

    def discard(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):
            self.file.close()
        with suppress(OSError):
            os.unlink(self.temporary)


@contextmanager
def whole_files(*paths: Path) -> Iterator[list[Pending]]:
    """Files to write; when the block ends well they are flushed and then named, in order, else none stays.

    Raises FreezerError when the system does not let them be written (no space, no permission).
    """
    pending: list[Pending] = []
    try:
        for path in paths:
            pending.append(Pending(path))
        yield pending
        for file in pending:
            file.flush()
        _commit(pending)
        _flush_folder(paths[0].parent)
    except OSError as error:
        what = os.strerror(error.errno) if error.errno else str(error)
        hint = "; free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else ""
        raise FreezerError(f"cannot write '{paths[-1]}': {what}{hint}; nothing was written") from error
    finally:
        for file in pending:
            file.discard()


def _commit(pending: list[Pending]) -> None:
    try:
        for file in pending:
            file.commit()
    except OSError:
        for file in pending:
            if file.is_committed and file.is_new:
                os.unlink(file.path)
        raise


def _flush_folder(folder: Path) -> None:
    """Bring the new names to the disk, where folders can be opened (not on Windows)."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
