"""Close names, for messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LISTED = 12


def did_you_mean(name: str, known: Iterable[str], list_all: bool = True) -> str:
    """ "; did you mean 'sr'?", or else (list_all) the names there are; to be put after a message.

    >>> did_you_mean("rs", ["input", "sr"])
    "; did you mean 'sr'?"
    """
    names = list(known)
    folded = {n.lower(): n for n in names}
    close = [folded[n] for n in difflib.get_close_matches(name.lower(), folded, 3, 0.5)]
    if close:
        return f"; did you mean {' or '.join(repr(n) for n in close)}?"
    if not list_all:
        return ""
    listed = ", ".join(repr(n) for n in names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")
    return f"; there are {listed}" if names else "; there are none"
