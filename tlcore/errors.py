"""The base error and its few children.

A message is a template and its values, kept apart so that a page can translate the template.
"""


class LabError(Exception):
    """Something a person can mend; ``str(error)`` is one sentence fit for a page.

    Parameters
    ----------
    template : sentence with ``str.format`` fields: what is wrong, with which value, what to do
    values : the values of those fields

    Examples
    --------
    >>> str(LabError("No run {run_id!r}. Pick one from the list.", run_id="x1"))
    "No run 'x1'. Pick one from the list."
    """

    def __init__(self, template: str, **values: object):
        super().__init__(template.format(**values))
        self.template = template
        self.values = values

    def __reduce__(self):  # errors cross process borders; the default would lose the values
        return _rebuild, (type(self), self.template, self.values)


def _rebuild(kind: type[LabError], template: str, values: dict[str, object]) -> LabError:
    return kind(template, **values)


class SpecError(LabError):
    """A setting that cannot be run: unknown name, number out of range, impossible combination."""


class DataError(LabError):
    """Data that is missing, unreachable, damaged or not what it claims to be."""


class StoreError(LabError):
    """The run store or the run folder cannot be read or written."""


class TrainingError(LabError):
    """Training that began and could not go on, such as a loss that is not a number."""


class RightsError(LabError):
    """Something that is only for a run's owner or the host, or more than one person may have."""
