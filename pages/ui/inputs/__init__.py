"""Ways to give a picture, and the answers to it."""
