"""The base error and its few children."""

from .sentences import Sentence


class LabError(Exception):
    """Something a person can mend; ``error.sentence`` is fit for a page, ``str(error)`` is it in English.

    Parameters
    ----------
    template : sentence with ``str.format`` fields: what is wrong, with which value, what to do
    values : the values of those fields; one that is prose is a Sentence itself

    Examples
    --------
    >>> str(LabError("No run {run_id!r}. Pick one from the list.", run_id="x1"))
    "No run 'x1'. Pick one from the list."
    """

    def __init__(self, template: str, **values: object):
        self.sentence = Sentence(template, **values)
        super().__init__(str(self.sentence))

    def __reduce__(self):  # errors cross process borders; the default would lose the values
        return _rebuild, (type(self), self.sentence)


def _rebuild(kind: type[LabError], sentence: Sentence) -> LabError:
    return kind(sentence.template, **sentence.values)


class SpecError(LabError):
    """A setting that cannot be run: unknown name, number out of range, impossible combination."""


class DataError(LabError):
    """Data that is missing, unreachable, damaged or not what it claims to be."""


class StoreError(LabError):
    """The run store or the run folder cannot be read or written."""


class AwayError(StoreError):
    """What holds the runs does not answer now, and may be back in a moment."""


class TrainingError(LabError):
    """Training that began and could not go on, such as a loss that is not a number."""


class RightsError(LabError):
    """Something that is only for a run's owner or the host, or more than one person may have."""
