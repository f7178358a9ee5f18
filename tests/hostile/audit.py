"""Hold the installed packages against the published weaknesses, as ``make audit`` does.

pip-audit calls a package that it could not look up "skipped" and ends as if all were well; this says how many were
looked up, and fails when none could be.

Exit codes: 0 nothing known, 1 weaknesses found, 2 nothing could be looked up here.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any


def ask() -> dict[str, Any] | None:
    """Return pip-audit's answer; None when it has none."""
    line = [sys.executable, "-m", "pip_audit", "--local", "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(line, capture_output=True, text=True)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return None


def main(ask: Callable[[], dict[str, Any] | None] = ask) -> int:
    packages = (ask() or {}).get("dependencies", [])
    looked_up = [package for package in packages if "vulns" in package]
    weak = [package for package in looked_up if package["vulns"]]
    if not looked_up:
        print("No package could be looked up: the list of published weaknesses is out of reach from here, so nothing")
        print("was audited. Run make audit where https://pypi.org/pypi/NAME/VERSION/json answers.")
        return 2
    for package in weak:
        for found in package["vulns"]:
            fixed = ", ".join(found["fix_versions"]) or "no version yet"
            print(f"{package['name']} {package['version']}: {found['id']}, fixed in {fixed}")
    left = len(packages) - len(looked_up)
    print(f"{len(looked_up)} packages looked up, {left} not found, {len(weak)} with published weaknesses.")
    return 1 if weak else 0


if __name__ == "__main__":
    sys.exit(main())
