"""What all tests share."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def worker():
    """One evaluating child for the whole session: starting it costs more than most tests."""
    from freezer.pipeline import start_worker

    with start_worker() as child:
        yield child
