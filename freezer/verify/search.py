"""Looks for feeds on which the original runs, surviving those that kill it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

TRIES, SECONDS, DEATHS = 150, 60.0, 3
RUN_SECONDS = 30.0
OTHER_SIZES = 4  # how many other sizes to try for each further feed
_LATER = ("unit", "large", "small", "normal")  # how further feeds are drawn, in turn


class Search:
    """ask: the judge's commands. reload: opens the original in a new child. free: dims are left to vary.

    After run(): `feeds`, a line for each feed that ran and is remembered by the child; `error`, the
    first refusal, when there is none.
    """

    def __init__(
        self, ask: Callable[..., dict[str, Any]], reload: Callable[[], str], *, free: bool, wanted: int
    ) -> None:
        self._ask, self._reload, self._free, self._wanted = ask, reload, free, wanted
        self._deadline = time.monotonic() + SECONDS
        self._ran: list[dict[str, Any]] = []
        self._tries = self._deaths = 0
        self._next = 0
        self._exhausted = False
        self.feeds: list[str] = []
        self.error = ""

    def run(self) -> bool:
        """Find one feed, then others like it; whether there is one."""
        while not self._attempt(self._next):
            self._next += 1
            if self._over or self._exhausted:
                return False
        first = self._ran[0]["index"]
        while len(self.feeds) < self._wanted and not self._over and self._another(first):
            pass
        return bool(self.feeds)

    @property
    def _over(self) -> bool:
        spent = self._tries >= TRIES or self._deaths >= DEATHS
        return spent or time.monotonic() > self._deadline

    def _another(self, first: int) -> bool:
        """One feed more: of other sizes if dims are free, else of the first feed's."""
        profile = _LATER[(len(self.feeds) - 1) % len(_LATER)]
        if self._free:
            for _ in range(OTHER_SIZES):
                self._next += 1
                if self._attempt(self._next, profile):
                    return True
                if self._over or self._exhausted:
                    break
        return self._attempt(first, profile) or self._attempt(first, "normal") or self._attempt(first)

    def _attempt(self, index: int, profile: str | None = None) -> bool:
        """Try one candidate; remember it if it ran."""
        self._tries += 1
        attempt = {"index": index, "profile": profile, "seconds": RUN_SECONDS}
        answer = self._ask("attempt", attempt)
        if "feed" in answer:
            self._ran.append(attempt)
            self.feeds.append(answer["feed"])
            return True
        if answer.get("end"):
            self._exhausted = True
        self.error = self.error or answer.get("error", "")
        if answer.get("died"):
            self._recover()
        return False

    def _recover(self) -> None:
        """A new child, told what the dead one knew."""
        self._deaths += 1
        if self._reload():
            self._deaths = DEATHS
            self._ran, self.feeds = [], []
            return
        ran, self._ran, self.feeds = self._ran, [], []
        for attempt in ran:
            answer = self._ask("attempt", attempt)
            if "feed" in answer:
                self._ran.append(attempt)
                self.feeds.append(answer["feed"])
