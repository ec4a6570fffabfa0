"""Many freezes of one source, whose results share one file of weights."""

from freezer.variants.listing import Variant, read_variants
from freezer.variants.making import Made, make_variants

__all__ = ["Made", "Variant", "make_variants", "read_variants"]
