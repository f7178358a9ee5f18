"""A stranger's .keras file: read by lists of what may be there, rebuilt without running any of it."""
