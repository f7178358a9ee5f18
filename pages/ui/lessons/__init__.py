"""Lesson plans and tours on the pages."""
