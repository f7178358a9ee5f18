"""What a model that answers is called: "source:digits", "run:RUNID", "head:RUNID/FILE", "own:NAME", "taught:transfer".

"collected:KIND-PERSON" learns what a person shows it. Three are not models: "outside:NAME" tells whether an item is
like what the model of that name was made for, "features:KIND" gives an item's features, "score:KIND-PERSON" says how
well what a person showed is told apart. "signs:transfer" and "signs:pixels" read the sign of a hand.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from tlcore.errors import SpecError

Kind = Literal["source", "run", "head", "own", "taught", "outside", "collected", "score", "features", "signs"]
SUFFIX = ".skops"  # of a head's file


@dataclass(frozen=True)
class ModelName:
    """The name of a model. As text, ``str(name)``, it goes to the process that answers and into pages.

    Attributes
    ----------
    id : of a source or an uploaded head, its name; of a network or a head that a run left, the run's id; of one that
        was taught for Home, how it was taught; of "outside", the model's name; of "features", the kind of item
    file : of a head, in the run's folder of heads

    Examples
    --------
    >>> str(ModelName.head("0123456789abcdef", "knn-pixels.skops")), ModelName.parse("source:digits")
    ('head:0123456789abcdef/knn-pixels.skops', ModelName(kind='source', id='digits', file=''))
    """

    kind: Kind
    id: str
    file: str = ""

    @classmethod
    def source(cls, name: str) -> "ModelName":
        return cls("source", name)

    @classmethod
    def run(cls, run_id: str) -> "ModelName":
        return cls("run", run_id)

    @classmethod
    def head(cls, run_id: str, file: str) -> "ModelName":
        return cls("head", run_id, file)

    @classmethod
    def own(cls, name: str) -> "ModelName":
        return cls("own", name)

    @classmethod
    def taught(cls, way: str) -> "ModelName":
        return cls("taught", way)

    @classmethod
    def outside(cls, name: str) -> "ModelName":
        return cls("outside", name)

    @classmethod
    def collected(cls, id: str) -> "ModelName":
        return cls("collected", id)

    @classmethod
    def score(cls, id: str) -> "ModelName":
        return cls("score", id)

    @classmethod
    def features(cls, kind: str) -> "ModelName":
        return cls("features", kind)

    @classmethod
    def signs(cls, way: str) -> "ModelName":
        return cls("signs", way)

    @classmethod
    def parse(cls, text: str) -> "ModelName":
        """Return the name that ``str`` made this text of.

        Raises
        ------
        SpecError
            The text has none of the forms.
        """
        kind, _, rest = text.partition(":")
        id, _, file = rest.partition("/") if kind == "head" else (rest, "", "")
        if kind not in get_args(Kind) or not id or bool(file) != (kind == "head") or (kind == "run" and "/" in id):
            raise SpecError("There is no model {name!r}. Pick one from the list.", name=text)
        return cls(kind, id, file)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" + (f"/{self.file}" if self.file else "")

    @property
    def short(self) -> str:
        """The name on the command line.

        Examples
        --------
        >>> [ModelName.parse(text).short for text in ("source:digits", "head:0123/knn-pixels.skops", "taught:scratch")]
        ['digits', '0123/knn-pixels', 'taught:scratch']
        """
        if self.kind == "taught":  # beside a source of that name
            return str(self)
        return f"{self.id}/{self.file.removesuffix(SUFFIX)}" if self.file else self.id
