"""The files that `freezer freeze` writes: each has a place of its own, known to be good before the work begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from freezer.errors import UsageError


@dataclass(frozen=True)
class Outputs:
    """source: the model's file. values: files that frozen values are read from. files: what each file that is
    written is, as in "report", to its path.
    """

    source: str
    values: list[str]
    files: dict[str, Path]

    def check(self, weights: Iterable[Path] = ()) -> None:
        """Raise UsageError unless all can be written: not over what is read, nor over each other."""
        from freezer.model_io.target import check_target

        used = list(map(str, weights))
        taken = {Path(path).resolve(): "file of a frozen value" for path in self.values}
        for what, path in self.files.items():
            check_target(path, self.source, used)
            place = path.resolve()
            if place in taken:
                raise UsageError(f"the {what} '{path}' would replace the {taken[place]}; give another name")
            taken[place] = what
