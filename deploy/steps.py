"""What Dockerfile, .dockerignore and compose.yaml say, as values: for ``check.py`` and for the tests."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent
LINTED = ("yamllint", "--strict", "-d", "{extends: default, rules: {line-length: {max: 130}, braces: disable, "
          "document-start: disable, comments: {min-spaces-from-content: 1}}}")  # fmt: skip
LINTERS: dict[str, Sequence[str]] = {
    "Dockerfile": ("hadolint", "deploy/Dockerfile"),
    "yaml": (*LINTED, "deploy/compose.yaml", "deploy/kubernetes.yaml"),
    "compose.yaml": ("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml"),
    "kubernetes.yaml": ("kubernetes-validate", "--strict", "deploy/kubernetes.yaml"),
}


@dataclass(frozen=True)
class Stage:
    """One stage of a Dockerfile: what it begins with, and its further instructions in order."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def last(self, instruction: str) -> str:
        """Return what the last such instruction says; "" where there is none."""
        return next((said for name, said in reversed(self.steps) if name == instruction), "")

    def env(self, before: Mapping[str, str]) -> dict[str, str]:
        """Return the environment after the stage's ENV lines."""
        found = dict(before)
        for name, said in self.steps:
            if name == "ENV":
                for key, value in (pair.split("=", 1) for pair in said.split()):
                    found[key] = re.sub(r"\$(\w+)", lambda match: found.get(match[1], ""), value)
        return found


def stages(text: str) -> list[Stage]:
    """Return the stages of a Dockerfile.

    Examples
    --------
    >>> stages("FROM a AS b\\n# why\\nRUN x \\\\\\n  && y\\nFROM c")
    [Stage(base='a', name='b', steps=[('RUN', 'x && y')]), Stage(base='c', name='', steps=[])]
    """
    lines = "\n".join(line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    found: list[Stage] = []
    for line in re.sub(r"\s*\\\n\s*", " ", lines).splitlines():
        name, _, said = line.partition(" ")
        if name == "FROM":
            base, _, called = said.partition(" AS ")
            found.append(Stage(base, called))
        else:
            found[-1].steps.append((name, said.strip()))
    return found


def dockerfile() -> list[Stage]:
    return stages((FOLDER / "Dockerfile").read_text(encoding="utf-8"))


def words(said: str) -> list[str]:
    """Return an instruction in its list form: CMD ["a", "b"]."""
    return json.loads(said[said.index("[") :])


def is_ignored(path: str, patterns: Sequence[str]) -> bool:
    """Return whether .dockerignore keeps a path out of the build: the last pattern that fits it or a parent decides.

    Examples
    --------
    >>> [is_ignored(path, ["*", "!tlcore", "**/*.mo"]) for path in ("var/x", "tlcore/cli.py", "tlcore/x/y.mo")]
    [True, False, True]
    """
    parts, ignored = path.split("/"), False
    above = ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]
    for pattern in patterns:
        bare = pattern.removeprefix("!")
        if bare.startswith("**/"):
            fits = any(fnmatch(part, bare[3:]) for part in parts)
        else:
            fits = any(fnmatch(one, bare) and one.count("/") == bare.count("/") for one in above)
        if fits:
            ignored = pattern == bare
    return ignored


def context() -> list[str]:
    """Return the files that go to a build."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    tops = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    there = (path for top in tops for path in (ROOT / top, *(ROOT / top).rglob("*")) if path.is_file())
    named = sorted(str(path.relative_to(ROOT)) for path in there)
    return [path for path in named if not is_ignored(path, patterns)]


def services(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the services of compose.yaml, its ${NAME:?why} and ${NAME:-default} filled in.

    Raises
    ------
    KeyError
        A variable without a default is not set.
    """

    def fill(match: re.Match[str]) -> str:
        value = environ.get(match[1], "")
        if not value and match[2] == "?":
            raise KeyError(f"{match[1]}: {match[3]}")
        return value or match[3]

    text = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(re.sub(r"\$\{(\w+):([?-])([^}]*)\}", fill, text))["services"]


def objects() -> list[dict[str, Any]]:
    """Return the objects of kubernetes.yaml."""
    return list(yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text(encoding="utf-8")))
