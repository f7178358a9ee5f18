"""Components of our own: script, style, and the Python beside them."""
