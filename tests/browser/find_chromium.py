"""Find a Chromium for the browser tests, install one where there is none, print its path.

One that is there is taken first: named in CHROMIUM_PATH, Playwright's own, on the path. Else Playwright's download
is tried, then Debian's package. Run as a script with ``--install`` before the tests; the fixture ``chromium_path``
only looks.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
NOT_FOUND = (
    "No Chromium was found and none could be installed, so the browser tests cannot run. Install one (Debian and "
    "Ubuntu: apt-get install chromium; anywhere: python -m playwright install chromium) or name it in CHROMIUM_PATH."
)


def playwrights_own() -> str | None:
    """Return where Playwright keeps its own Chromium, when it is there."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path


def find_chromium() -> str | None:
    """Return the path of a Chromium that starts, or None."""
    named = os.environ.get("CHROMIUM_PATH")
    candidates = [named] if named else [playwrights_own(), *NAMES]
    return next((path for path in map(shutil.which, filter(None, candidates)) if path and _starts(path)), None)


def _starts(path: str) -> bool:
    # A download without its system libraries lies there and cannot start; the package on the path may.
    return subprocess.run([path, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def install() -> None:
    """Try Playwright's download, then Debian's package as root or through sudo."""
    _try(sys.executable, "-m", "playwright", "install", "chromium")
    if find_chromium() or not shutil.which("apt-get"):
        return
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if _try(*prefix, "apt-get", "update", "-q"):
        _try(*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-q", "chromium")


def _try(*command: str) -> bool:
    print("Browser tests:", *command, file=sys.stderr, flush=True)
    try:
        return subprocess.run(command, stdout=sys.stderr, timeout=600).returncode == 0
    except (OSError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return False


def main() -> int:
    if not find_chromium() and "--install" in sys.argv:
        install()
    path = find_chromium()
    print(path if path else NOT_FOUND, file=sys.stdout if path else sys.stderr)
    return 0 if path else 1


if __name__ == "__main__":
    sys.exit(main())
