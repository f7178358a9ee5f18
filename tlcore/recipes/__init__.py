"""Specs made from specs: the control, two phases, the article's own, races, mistakes on purpose."""

from .fine_tuning import article_recipe, is_control, is_scratch, of_photographs, scratch_control, two_phases

__all__ = ["article_recipe", "is_control", "is_scratch", "of_photographs", "scratch_control", "two_phases"]
