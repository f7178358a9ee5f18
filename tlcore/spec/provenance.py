"""Where a run came from that was not simply asked for here."""

from dataclasses import dataclass

from tlcore.sentences import Sentence


@dataclass(frozen=True)
class Provenance:
    """Where a run came from; all fields are empty where it was simply asked for here.

    Attributes
    ----------
    imported : the id that it had in the lab that trained it
    made_with : the version that wrote its archive
    processor : that trained it, where the archive names one
    left_out : what of the archive was not taken, and why
    repeats : the run of this lab that it trains again
    """

    imported: str = ""
    made_with: str = ""
    processor: str = ""
    left_out: tuple[Sentence, ...] = ()
    repeats: str = ""
