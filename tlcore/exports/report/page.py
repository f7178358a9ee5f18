"""The report of a run: its sections in order, of a comparison a chapter for each way, and the frame around them."""

from collections.abc import Callable
from html import escape
from pathlib import Path

from tlcore import __version__
from tlcore.evidence import side_by_side, ways
from tlcore.sentences import Sentence, verbatim
from tlcore.spec import ComparisonResult, ComparisonSpec, EvaluateSpec
from tlcore.store import Run, Store

from . import answers, asked, card, found, own_pictures
from .writer import Writer

STYLE = Path(__file__).with_name("page.css")
# Nothing is asked of anywhere, and no program in it runs, whatever a name or a note holds.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

Section = Callable[[Writer, Run, Store], str]


def _limits(writer: Writer, run: Run, store: Store) -> str:
    return writer.heading(Sentence("What these numbers do not say")) + writer.items(found.limits(writer, run))


def _ways(writer: Writer, run: Run, store: Store) -> str:
    """Return of a comparison what each way answered, whether its freezing held, and its model card."""
    if not isinstance(run.result, ComparisonResult):
        return ""
    chapters = []
    for each in ways.trained(run.result, store):
        if sections := written_in(WAY_SECTIONS, writer.deeper(), each.run, store):
            chapters.append(writer.chapter(ways.title(each.way.name), sections))
    return "".join(chapters)


WAY_SECTIONS: tuple[Section, ...] = (answers.answers, found.proof, card.card)
SECTIONS: tuple[Section, ...] = (
    found.headline,
    asked.asked,
    own_pictures.own_pictures,
    found.numbers,
    found.curves,
    answers.answers,
    found.proof,
    _limits,
    _ways,
    asked.again,
    card.card,
)


def has_report(run: Run) -> bool:
    """Return whether a run has a report: it trained, and was tested."""
    return run.accuracy is not None and not isinstance(run.spec, EvaluateSpec)


def written(run: Run, store: Store, language: str) -> bytes:
    """Return the report of a tested run as HTML.

    Parameters
    ----------
    language : the tag of a language on offer
    """
    writer = Writer(language)
    made = Sentence(
        "Report of run {run}, finished {time}, written by Transfer Lab {version}.",
        run=run.id[:6],
        time=asked.when(run.finished) or "–",
        version=__version__,
    )
    return framed(writer, title(writer, run), made, written_in(SECTIONS, writer, run, store))


def written_in(sections: tuple[Section, ...], writer: Writer, run: Run, store: Store) -> str:
    """Return those sections of a run's report that have something to say."""
    return "".join(section(writer, run, store) for section in sections)


def framed(writer: Writer, title: str, made: Sentence, body: str) -> bytes:
    """Return the whole page; ``body`` is HTML, ``title`` is not."""
    return (
        f'<!doctype html>\n<html lang="{escape(writer.language)}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><meta name="referrer" content="no-referrer">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{STYLE.read_text()}</style></head>\n<body><h1>{escape(title)}</h1>"
        f"{writer.paragraph(made, kind='from')}{body}</body></html>\n"
    ).encode()


def title(writer: Writer, run: Run) -> str:
    """Return what a run is called, else what it is about."""
    return run.name or writer.text(_about(run))


def _about(run: Run) -> Sentence:
    settings = {str(name): value for name, value in side_by_side.settings(run.spec).items()}
    task = settings.get("Task", verbatim(run.spec.data.target))
    if isinstance(run.spec, ComparisonSpec):
        return Sentence("Ways to learn {task}, compared", task=task)
    if settings.get("Heads"):
        return Sentence("{heads} on {task}", heads=settings["Heads"], task=task)
    return Sentence("A network learns {task}", task=task)
