"""One file for all spellings of a model; its fingerprint; and where two models differ."""

from freezer.canonical.compare import diff
from freezer.canonical.difference import ConstantDifference, Difference, StructureDifference
from freezer.canonical.identity import canonicalize, fingerprint

__all__ = ["ConstantDifference", "Difference", "StructureDifference", "canonicalize", "diff", "fingerprint"]
