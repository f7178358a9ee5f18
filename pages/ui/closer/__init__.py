"""A closer look at a finished run: test images, heads opened up, maps."""
