"""Code in the forms in which page and command line offer it: scripts, a ZIP with all that they need, notebooks."""

from collections.abc import Sequence

from tlcore.sentences import Sentence
from tlcore.store import Run, Store

from ..exporter import Exporter, Part
from . import bundle
from .cells import notebook, script
from .variants import PLAIN, Variant, of_run

TITLES = {
    ("with_tlcore", ".py"): Sentence("Script with this project"),
    ("plain", ".py"): Sentence("Script in plain Keras"),
    ("with_tlcore", ".ipynb"): Sentence("Notebook with this project"),
    ("plain", ".ipynb"): Sentence("Notebook in plain Keras"),
}


class Code(Exporter):
    """Python scripts that train the run again, and the plain one with its network and images in one ZIP file."""

    name = "code"
    only_by_name, in_menu = True, False

    def parts(self, run: Run, store: Store) -> tuple[Part, ...]:
        variants = of_run(run)
        scripts = tuple(part(run, variant, ".py") for variant in variants)
        if PLAIN not in variants:
            return scripts
        packed = Part(
            "-plain.zip",
            Sentence("Pack script and notebook with network and images (ZIP)"),
            lambda: bundle.make(run, store)[0],
            "application/zip",
            make=lambda: bundle.make(run, store),
        )
        return (*scripts, packed)


class Notebook(Exporter):
    """The same as Jupyter notebooks."""

    name = "notebook"
    only_by_name, in_menu = True, False

    def parts(self, run: Run, store: Store) -> tuple[Part, ...]:
        return tuple(part(run, variant, ".ipynb") for variant in of_run(run))


def part(run: Run, variant: Variant, ending: str) -> Part:
    """Return one file of one way to write a run."""
    write = script if ending == ".py" else notebook
    mime = "text/x-python" if ending == ".py" else "application/x-ipynb+json"
    return Part(
        f"-{variant.name}{ending}",
        TITLES[variant.name, ending],
        lambda: write(variant.cells(run)).encode(),
        mime,
    )


def texts(run: Run) -> Sequence[tuple[Variant, str]]:
    """Return the ways in which a run can be written, each with its script."""
    return [(variant, script(variant.cells(run))) for variant in of_run(run)]
