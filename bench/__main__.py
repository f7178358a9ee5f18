"""Run every benchmark, or those that are named; keep the figures in results.json and in docs/benchmarks.md.

Only the rows that were measured change. ``--quick`` runs small sizes and writes nothing.
"""

import argparse
import importlib
import json
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

from bench import _timing

FOLDER = Path(__file__).resolve().parent
RESULTS = FOLDER / "results.json"
PAGE = FOLDER.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def main() -> int:
    known = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *known], help="default: all")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that they run; nothing is written")
    options = parser.parse_args()
    failed = []
    for name in options.names or known:
        print(f"== {name}", file=sys.stderr, flush=True)
        try:
            run(name, options.quick)
        except Exception:  # the others are still worth having
            traceback.print_exc()
            failed.append(name)
    if failed:
        print(f"These benchmarks failed: {', '.join(failed)}.", file=sys.stderr)
    return int(bool(failed))


def run(name: str, quick: bool) -> None:
    """Run one benchmark; print its rows and, unless they are quick ones, keep them."""
    module = importlib.import_module(f"bench.{name}")
    if hasattr(module, "measure"):
        rows = [row.as_dict() for row in module.measure(quick)]
        print(_timing.table(rows), flush=True)
        if not quick:
            keep(rows)
    elif not quick:  # it prints its own table, which no row of ours holds
        subprocess.run([sys.executable, "-m", f"bench.{name}"], cwd=FOLDER.parent, check=True)


def keep(rows: list[dict[str, Any]]) -> None:
    """Put rows in the place of those of the same name, in the file and on the page."""
    old = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    merged = {row["name"]: row for row in [*old, *rows]}
    RESULTS.write_text(json.dumps(list(merged.values()), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    show(list(merged.values()))


def show(rows: list[dict[str, Any]]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise RuntimeError(f"{PAGE.name} has no lines {BEGIN} and {END}: the table has no place.")
    machines = sorted({f"{row['machine']}, {row['date']}" for row in rows})
    loads = [row["load"] for row in rows]
    words = f"Medians; measured on {'; '.join(machines)}. Load average then: {min(loads)} to {max(loads)}."
    PAGE.write_text(f"{before}{BEGIN}\n{_timing.table(rows)}\n\n{words}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
