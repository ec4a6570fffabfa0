"""One file for all spellings of a model; its fingerprint; and where two models differ."""

from freezer.canonical.canonicalize import canonicalize, fingerprint

__all__ = ["canonicalize", "fingerprint"]
