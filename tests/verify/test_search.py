"""The search for feeds: how long a try may take."""

from __future__ import annotations

import time

from freezer.verification.search import LEAST_SECONDS, RUN_SECONDS, TIMES, Search


def seconds_allowed(takes: list[float]) -> list[float]:
    """What each try of a search was allowed, if the tries take so long and all run."""
    allowed = []

    def ask(command, header):
        time.sleep(takes[len(allowed)])
        allowed.append(header["seconds"])
        return {"feed": "any"}

    assert Search(ask, lambda: "", vary=False, wanted=len(takes)).run()
    return allowed


def test_a_further_feed_may_not_take_much_longer_than_one_that_ran():
    assert seconds_allowed([0.0, 0.0]) == [RUN_SECONDS, LEAST_SECONDS]
    first, second, third = seconds_allowed([0.4, 0.0, 0.0])
    assert first == RUN_SECONDS and TIMES * 0.4 <= second == third < RUN_SECONDS
