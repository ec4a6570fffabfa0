"""each(): a function called for many items, in processes that may die."""

from __future__ import annotations

import os
import time

import pytest

from freezer.variants.pool import each


def twice(number: int) -> int:
    """What is asked of the processes: 0 kills its own, after the others have begun."""
    if number == 0:
        time.sleep(0.3)
        os._exit(3)
    time.sleep(0.2)
    return 2 * number


@pytest.mark.parametrize("workers", [1, 2, None])
@pytest.mark.parametrize("items", [[0], [1, 2], [0, 1, 2, 3], [1, 0, 2, 0, 3, 4]])
def test_a_process_that_dies_costs_its_own_item(items, workers):
    found = sorted(each(twice, items, workers=workers))
    assert [(i, result) for i, result, _ in found] == [(i, 2 * n if n else None) for i, n in enumerate(items)]
    assert {why for _, result, why in found if result is None} <= {"its process died: BrokenProcessPool"}
    assert not any(why for _, result, why in found if result is not None)
