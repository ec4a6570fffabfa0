"""What freezing would buy, before any value is known."""

from freezer.whatif.ranking import Gain, WhatIf, what_if

__all__ = ["Gain", "WhatIf", "what_if"]
