"""Looks for feeds on which the original runs, surviving those that kill it. Parent side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

TRIES, SECONDS, DEATHS = 150, 60.0, 3
RUN_SECONDS = 30.0
LEAST_SECONDS, TIMES = 2.0, 10  # a further feed may take so many times what one took that ran, or those seconds
OTHER_SIZES = 4  # how many other sizes to try for each further feed
SPARE = 1.5  # seconds of all that; the feeds are then of the first feed's sizes
PROFILES = ("normal", "ones", "unit", "small", "large", "shares")
_LATER = ("unit", "large", "small", "normal", "edge")  # how further feeds are drawn, in turn


class Search:
    """ask: the judge's commands. reload: opens the original in a new child, and answers an error or "".

    After run(): `feeds`, a line for each feed that ran and that the child remembers; `error`, the
    first refusal.
    """

    def __init__(
        self, ask: Callable[..., dict[str, Any]], reload: Callable[[], str], *, vary: bool, wanted: int
    ) -> None:
        self._ask, self._reload, self._vary, self._wanted = ask, reload, vary, wanted
        self._deadline = time.monotonic() + SECONDS
        self._ran: list[dict[str, Any]] = []
        self._tries = self._deaths = 0
        self._spare = SPARE
        self._longest = RUN_SECONDS  # of the feeds that ran
        self._sizes = 1 << 30  # how many assignments of sizes there are; known when the child runs out
        self.feeds: list[str] = []
        self.error = ""

    def run(self) -> bool:
        """Find one feed, then others like it; whether there is one."""
        found = next((way for way in self._ways() if self._attempt(*way)), None)
        if found is None:
            return False
        self._further(*found)
        return bool(self.feeds)

    @property
    def _over(self) -> bool:
        spent = self._tries >= TRIES or self._deaths >= DEATHS
        return spent or time.monotonic() > self._deadline

    @property
    def _patience(self) -> float:
        """Seconds that the next try may take."""
        return min(RUN_SECONDS, max(LEAST_SECONDS, TIMES * self._longest))

    def _ways(self) -> Iterator[tuple[int, str]]:
        """(which sizes, profile) in the order to try them."""
        for index in range(TRIES):
            for profile in PROFILES if index == 0 else PROFILES[:2] if index < 16 else PROFILES[:1]:
                if self._over or index >= self._sizes:
                    return
                yield index, profile

    def _further(self, index: int, profile: str) -> None:
        """The other feeds: of other sizes if dims are free, else of the first feed's."""
        other = index
        for number in range(1, self._wanted):
            wanted = _LATER[(number - 1) % len(_LATER)]
            tries = [(other + i + 1, wanted) for i in range(OTHER_SIZES)] if self._vary else []
            for way in [*tries, (index, wanted), (index, "normal"), *[(index, profile)] * 3]:
                if self._over:
                    return
                if way[0] != index and self._spare < 0:
                    continue
                if way[0] < self._sizes and self._attempt(*way):
                    other = max(other, way[0])
                    break

    def _attempt(self, index: int, profile: str) -> bool:
        """Try one way; remember it if it ran."""
        self._tries += 1
        attempt = {"index": index, "profile": profile, "number": self._tries, "seconds": self._patience}
        start = time.monotonic()
        answer = self._ask("attempt", attempt)
        spent = time.monotonic() - start
        if self.feeds:
            self._spare -= spent
        if "feed" in answer:
            self._ran.append(attempt)
            self._longest = max(self._longest, spent) if self.feeds else spent
            self.feeds.append(answer["feed"])
            return True
        if answer.get("end"):
            self._sizes = min(self._sizes, index)
        self.error = self.error or answer.get("error", "")
        if answer.get("died"):
            self._recover()
        return False

    def _recover(self) -> None:
        """A new child, told what the dead one knew."""
        self._deaths += 1
        ran, self._ran, self.feeds = self._ran, [], []
        if self._reload():
            self._deaths = DEATHS
            return
        for attempt in ran:
            answer = self._ask("attempt", attempt)
            if "feed" in answer:
                self._ran.append(attempt)
                self.feeds.append(answer["feed"])
