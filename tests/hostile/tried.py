"""How many hostile inputs were tried: counted by the tests, told at the end of a run. Imports nothing of the lab."""

from collections import Counter

TRIED: Counter[str] = Counter()


def count(kind: str, n: int = 1) -> None:
    """Note that ``n`` hostile inputs of a kind were tried; the end of the test run tells how many in all."""
    TRIED[kind] += n
