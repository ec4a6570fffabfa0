"""Makes variants: each in a process, or on a cluster; then writes them together, with their common constants once."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from freezer.errors import FreezerError, UsageError, VerificationError
from freezer.options import Options, Running
from freezer.variants.listing import Variant
from freezer.variants.pool import each
from freezer.variants.sharing import Written, stage, write_together

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Made:
    """What became of one variant.

    error: why it was not made, "" if it was. message: of the verification. nodes, nbytes: of the residual.
    own_bytes: of its file. shared_bytes: what it refers to in files that other variants may read too.
    """

    name: str
    error: str = ""
    message: str = ""
    nodes: int = 0
    path: str = ""
    own_bytes: int = 0
    shared_bytes: int = 0


@dataclass(frozen=True)
class _Job:
    """What travels to another process. texts: input -> VALUE; stem: of the staged files."""

    name: str
    source: str
    stem: str
    texts: dict[str, str]
    dims: dict[str, int]
    shapes: dict[str, list[Any]]
    options: Options
    running: Running


def make_variants(
    source: str | os.PathLike, variants: Sequence[Variant], folder: str | os.PathLike, *,
    jobs: int | None = None, dask: str | None = None, progress: Progress = lambda _: None, **running: Any,
) -> tuple[list[Made], Written]:  # fmt: skip
    """Freeze every variant of the source, and write FOLDER/NAME.onnx for each that succeeds.

    jobs: processes, by default one a core. dask: the address of a scheduler, whose workers see the same files.
    progress: called with the name of each variant that is done. running: fields of freezer.options.Running, which
    count more than a recipe's. The files do not depend on where or in which order variants were made. Raises
    UsageError, ModelError (a file that a recipe names has changed), FreezerError.
    """
    target, path = Path(folder), Path(os.path.abspath(source))
    for recipe in {v.recipe.source_sha256: v.recipe for v in variants}.values():
        recipe.check_source(path)
        recipe.check_files()
    try:
        with _made(target), tempfile.TemporaryDirectory(dir=target, prefix=".freezer-") as staging:
            todo = [_job(v, path, Path(staging).absolute(), running) for v in variants]
            found: list[Made] = [Made(job.name) for job in todo]
            for index, made, lost in each(_make, todo, workers=jobs, dask=dask):
                found[index] = made or replace(found[index], error=lost)
                progress(found[index].name)
            written = write_together([m.name for m in found if not m.error], Path(staging), target, path)
    except OSError as error:
        raise FreezerError(f"cannot write into '{target}': {error.strerror}") from error
    return [_with_sizes(m, written) for m in found], written


@contextlib.contextmanager
def _made(folder: Path) -> Iterator[None]:
    """The folder; one that was made for nothing goes again."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"'{folder}' is no folder; give another name")
    there = folder.exists()
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder '{folder}' cannot be made: {error.strerror}") from None
    try:
        yield
    finally:
        if not there and not any(folder.iterdir()):
            folder.rmdir()


def _with_sizes(made: Made, written: Written) -> Made:
    if made.error:
        return made
    own, shared = written.sizes[made.name]
    return replace(made, path=str(written.paths[made.name]), own_bytes=own, shared_bytes=shared)


def _job(variant: Variant, source: Path, staging: Path, running: dict[str, Any]) -> _Job:
    recipe, stem = variant.recipe, staging / variant.name
    texts = {n: f"@{os.path.abspath(t[1:])}" if t.startswith("@") else t for n, t in recipe.texts().items()}
    how = replace(recipe.chosen(Running), **running)
    if how.allow_link is not None:
        how = replace(how, allow_link=os.path.abspath(how.allow_link))
    options = recipe.chosen(Options)
    return _Job(variant.name, str(source), str(stem), texts, recipe.dims, recipe.shapes, options, how)


def _make(job: _Job) -> Made:
    """Freeze one variant and put it into the staging folder. What goes wrong is in the answer."""
    try:
        return _frozen(job)
    except FreezerError as error:
        return Made(job.name, str(error))
    except Exception as error:
        return Made(job.name, f"internal error: {type(error).__name__}: {str(error)[:200]}")


def _frozen(job: _Job) -> Made:
    from freezer.api import freeze
    from freezer.bindings import parse_value

    values = {name: parse_value(text) for name, text in job.texts.items()}
    frozen = freeze(
        job.source, values, dims=job.dims, shapes=job.shapes, verify=job.running.verify,
        allow_link=job.running.allow_link, **asdict(job.options),
    )  # fmt: skip
    if job.running.strict and frozen.report.unverified:
        raise VerificationError(frozen.report.unverified)
    stage(frozen.residual, Path(job.stem))
    message = (frozen.report.verification or {}).get("message", "not verified (--no-verify)")
    return Made(job.name, "", message, frozen.report.after.nodes)
