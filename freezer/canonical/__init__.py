"""One file for all spellings of a model; its fingerprint; and where two models differ."""

from freezer.canonical.canonicalize import canonicalize, fingerprint
from freezer.canonical.diff import diff
from freezer.canonical.difference import ConstantDifference, Difference, StructureDifference

__all__ = ["ConstantDifference", "Difference", "StructureDifference", "canonicalize", "diff", "fingerprint"]
