"""Where output may go: never over the source, its weights, or what is not a file."""

from __future__ import annotations

import filecmp
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from freezer.errors import UsageError


def check_target(
    target: Path, source: str | os.PathLike | None, used: Iterable[str] = (), overwrite: bool = True
) -> None:
    """Raise UsageError unless a file can be written there.

    source: the model's own file. used: the data files that the model refers to.
    """
    if not target.parent.is_dir():
        raise UsageError(f"the folder '{target.parent}' does not exist; create it first")
    if not target.name:
        raise UsageError(f"'{target}' is a folder; give the name of a file in it")
    if not os.path.lexists(target):
        return
    if target.is_dir():
        raise UsageError(f"'{target}' is a folder; give the name of a file in it")
    if source is not None and _same(target, source):
        raise UsageError(f"the output '{target}' is the source itself; give another name")
    if any(_same(target, path) for path in used):
        raise UsageError(f"the output '{target}' holds weights that the model refers to; give another name")
    mode = os.lstat(target).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise UsageError(f"'{target}' is not a regular file; give another name")
    if not overwrite:
        raise UsageError(f"'{target}' exists already; give another name, or allow overwriting")


def check_report(path: Path, source: str | os.PathLike | None, output: Path, overwrite: bool = True) -> None:
    """Raise UsageError unless a report can be written there: not over the source, nor over the output."""
    check_target(path, source, overwrite=overwrite)
    if path.absolute() == output.absolute() or _same(path, output):
        raise UsageError(f"the report '{path}' would replace the output; give another name")


def _same(a: str | os.PathLike, b: str | os.PathLike) -> bool:
    try:
        return os.path.samefile(a, b)
    except OSError:
        return False


def check_data_name(name: str | None, target: Path) -> None:
    """Raise UsageError unless the name of a data file is that of another file in the output's folder."""
    if name is not None and (name in ("", ".", "..", target.name) or os.path.basename(name) != name or "\0" in name):
        raise UsageError(f"the data file '{name}' must be a plain file name, and not the output's")


def data_path(content: Path, name: str | None, target: Path) -> Path:
    """Where a finished data file can go without changing what is there: another model may refer to that.

    A file that already has this content is as good as none. Raises UsageError if `name` is given and taken.
    """
    if name is not None:
        wanted = target.parent / name
        if not _free(wanted, content):
            raise UsageError(f"the data file '{wanted}' exists already, with other content; give another name")
        return wanted
    return next(path for path in _names(target) if _free(path, content))


def _names(target: Path) -> Iterator[Path]:
    yield target.with_name(f"{target.name}.data")
    for number in range(1, 1 << 30):
        yield target.with_name(f"{target.name}.{number}.data")


def _free(path: Path, content: Path) -> bool:
    if not os.path.lexists(path):
        return True
    return stat.S_ISREG(os.lstat(path).st_mode) and filecmp.cmp(path, content, shallow=False)
