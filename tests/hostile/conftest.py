"""Tells at the end how many hostile inputs were tried."""

from hostile.asked import TRIED


def pytest_terminal_summary(terminalreporter):
    if TRIED:
        kinds = ", ".join(f"{name} {n:,}" for name, n in sorted(TRIED.items()))
        terminalreporter.write_line(f"hostile inputs tried: {TRIED.total():,} ({kinds})")
