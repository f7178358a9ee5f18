"""What the commands of ``python -m tlcore`` do; ``tlcore.cli`` is the parser in front of them."""
