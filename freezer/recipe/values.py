"""VALUE texts that name files, and the sha256 of files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_CHUNK = 1 << 22


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hex, read in pieces."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def moved(text: str, folder: Path, to: Path | None = None) -> str:
    """A VALUE text whose file is named from another folder: `folder` -> the current one, or `to`."""
    if not text.strip().startswith("@"):
        return text
    found = folder / text.strip()[1:]
    return f"@{found if to is None else os.path.relpath(found, to)}"


def value_file(text: str) -> str | None:
    """The file that a VALUE text names, without the key of an archive; None if it names none."""
    if not text.strip().startswith("@"):
        return None
    name = text.strip()[1:]
    archive, _, _ = name.rpartition(".npz:")
    return f"{archive}.npz" if archive else name
