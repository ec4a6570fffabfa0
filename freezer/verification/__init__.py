"""Verification: the original and the residual run on the same feeds and agree bit for bit."""

from freezer.ulp import max_ulp, ulp_distance
from freezer.verification.verdict import OutputVerdict, Verdict
from freezer.verification.verification import Verification, start_judge, verify

__all__ = ["OutputVerdict", "Verdict", "Verification", "max_ulp", "start_judge", "ulp_distance", "verify"]
