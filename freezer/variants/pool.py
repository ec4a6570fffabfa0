"""Calls a function for many items, in processes here or on a Dask cluster; one that dies costs its own item only."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from freezer.errors import UsageError

Item = TypeVar("Item")
Result = TypeVar("Result")
Answer = tuple[int, Result | None, str]


def each(
    function: Callable[[Item], Result], items: Sequence[Item], *, workers: int | None = None, dask: str | None = None
) -> Iterator[Answer]:
    """(index of the item, what function(item) gives or None, why there is nothing), in the order of completion.

    workers: processes, by default one a core. dask: the address of a scheduler, used instead. A process that dies
    takes those down that others work on: these are called again, each in a process of its own. Raises UsageError.
    """
    again: list[int] = []
    count = max(1, min(workers or os.cpu_count() or 1, len(items)))
    with _cluster(dask) if dask is not None else _processes(count) as executor:
        futures = {executor.submit(function, item): i for i, item in enumerate(items)}
        for future in as_completed(futures):
            if isinstance(future.exception(), BrokenProcessPool):
                again.append(futures[future])
            else:
                yield _answer(futures[future], future)
    for index in again:
        with _processes(1) as executor:
            yield _answer(index, executor.submit(function, items[index]))


def _answer(index: int, future: Future[Result]) -> Answer:
    error = future.exception()  # of the process, or of the cluster: the function itself does not raise
    return index, None if error else future.result(), f"its process died: {type(error).__name__}" if error else ""


def _processes(count: int) -> Executor:
    return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"))


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    try:
        from dask.distributed import Client
    except ImportError:
        raise UsageError("--dask needs dask.distributed: pip install 'onnx-freezer[dask]'") from None
    try:
        client: Any = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise UsageError(f"no Dask scheduler answers at '{address}': {type(error).__name__}") from None
    with client:
        yield client.get_executor(pure=False, retries=0)
