"""A lab with an extension, for the tests: what it registers is taken back afterwards."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pages.ui.runs import VIEWS
from tlcore import datasets, exports, extensions, heads, inputs, jobs, sources
from tlcore.spec import jobs as kinds

REGISTRIES = (
    inputs.MODALITIES,
    datasets.SOURCES,
    sources.SOURCES,
    heads.HEADS,
    jobs.JOBS,
    kinds.SPECS,
    kinds.RESULTS,
    exports.EXPORTERS,
    VIEWS,
)


@contextmanager
def extended(name: str) -> Iterator[pytest.MonkeyPatch]:
    """Load the extension of that name as every process does, which finds it named in the environment."""
    before, modules = [dict(registry) for registry in REGISTRIES], set(sys.modules)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(extensions.VARIABLE, name)
            assert extensions.load() == ()
            yield patch
    finally:
        for registry, entries in zip(REGISTRIES, before, strict=True):
            registry.clear()
            registry.update(entries)
        for module in [each for each in sys.modules if f"{each}.".startswith(f"{name}.") and each not in modules]:
            del sys.modules[module]
