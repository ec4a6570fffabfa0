"""Makes variants: each in a process, or on a cluster; then writes them together, with their common constants once."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freezer.errors import FreezerError, UsageError
from freezer.variants.listing import Variant
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


def make_variants(
    source: str | os.PathLike, variants: Sequence[Variant], folder: str | os.PathLike, *,
    verify: bool = True, jobs: int | None = None, dask: str | None = None, progress: Progress = lambda _: None,
) -> tuple[list[Made], Written]:  # fmt: skip
    """Freeze every variant of the source, and write FOLDER/NAME.onnx for each that succeeds.

    jobs: processes, by default one a core. dask: the address of a scheduler, whose workers see the same files.
    progress: called with the name of each variant that is done. The files do not depend on where or in which order
    variants were made. Raises UsageError, ModelError (a file that a recipe names has changed), FreezerError.
    """
    target, path = Path(folder), Path(source)
    for recipe in {id(v.recipe.source_sha256): v.recipe for v in variants}.values():
        recipe.check_source(path)
    variants[0].recipe.check_files()
    try:
        target.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder '{target}' cannot be made: {error.strerror}") from None
    try:
        with tempfile.TemporaryDirectory(dir=target, prefix=".freezer-") as staging:
            found = _run(path.resolve(), variants, os.path.abspath(staging), verify, jobs, dask, progress)
            names = [m.name for m in found if not m.error]
            written = write_together(names, Path(staging), target, path)
    except OSError as error:
        raise FreezerError(f"cannot write into '{target}': {error.strerror}") from error
    return [_with_sizes(m, written) for m in found], written


def _with_sizes(made: Made, written: Written) -> Made:
    if made.error:
        return made
    own, shared = written.sizes[made.name]
    return Made(made.name, "", made.message, made.nodes, str(written.paths[made.name]), own, shared)


def _run(
    source: Path, variants: Sequence[Variant], staging: str, verify: bool, jobs: int | None, dask: str | None,
    progress: Progress,
) -> list[Made]:  # fmt: skip
    found: dict[str, Made] = {}
    with _executor(jobs, dask, len(variants)) as executor:
        futures = {executor.submit(make, str(source), v.name, _job(v), staging, verify): v.name for v in variants}
        for future in as_completed(futures):
            name = futures[future]
            try:
                found[name] = future.result()
            except Exception as error:  # the process, or the cluster's worker, died
                found[name] = Made(name, f"its process died: {type(error).__name__}")
            progress(name)
    return [found[v.name] for v in variants]


def _job(variant: Variant) -> dict[str, Any]:
    """What travels to another process: texts and numbers."""
    recipe = variant.recipe
    texts = {n: f"@{os.path.abspath(t[1:])}" if t.startswith("@") else t for n, t in recipe.texts().items()}
    return {"sets": texts, "dims": recipe.dims, "shapes": recipe.shapes, "options": recipe.options}


@contextmanager
def _executor(jobs: int | None, dask: str | None, count: int) -> Iterator[Executor]:
    if dask is not None:
        with _cluster(dask) as client:
            yield client.get_executor(pure=False, retries=0)
        return
    workers = max(1, min(jobs or os.cpu_count() or 1, count))
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as executor:
        yield executor


def _cluster(address: str) -> Any:
    try:
        from dask.distributed import Client
    except ImportError:
        raise UsageError("--dask needs dask.distributed: pip install 'onnx-freezer[dask]'") from None
    try:
        return Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise UsageError(f"no Dask scheduler answers at '{address}': {type(error).__name__}") from None


def make(source: str, name: str, job: dict[str, Any], staging: str, verify: bool) -> Made:
    """Freeze one variant and put it into the staging folder. What goes wrong is in the answer."""
    from freezer.api import freeze
    from freezer.bindings import parse_value

    try:
        values = {n: parse_value(text) for n, text in job["sets"].items()}
        frozen = freeze(source, values, dims=job["dims"], shapes=job["shapes"], verify=verify, **job["options"])
        stage(frozen.residual, Path(staging) / name)
    except FreezerError as error:
        return Made(name, str(error))
    except Exception as error:
        return Made(name, f"internal error: {type(error).__name__}: {str(error)[:200]}")
    message = (frozen.report.verification or {}).get("message", "not verified (--no-verify)")
    return Made(name, "", message, frozen.report.after.nodes)
