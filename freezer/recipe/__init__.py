"""Recipes: what to freeze, in a TOML file that belongs beside the code."""

from freezer.recipe.read import Recipe, read_recipe
from freezer.recipe.write import recipe_text, sizes_text, write_recipe

__all__ = ["Recipe", "read_recipe", "recipe_text", "sizes_text", "write_recipe"]
