"""Specs made from specs: races, mistakes on purpose."""
