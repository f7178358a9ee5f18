"""What a training has been through, phase by phase."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tlcore import sentences
from tlcore.features import prefix
from tlcore.features.prefix import Inputs
from tlcore.spec import ProofRow
from tlcore.spec.codec import decode


@dataclass
class Course:
    """What a training has been through, phase by phase; JSON values, for a checkpoint."""

    phase: int = 0  # the one it is in, counted from 1
    before: dict[str, str] = field(default_factory=dict)  # hashes of the weights when that began
    images_before: int = 0  # trained until then
    proof: list[dict[str, Any]] = field(default_factory=list)  # of the phases before
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)  # phase -> what it trained on
    patience: dict[str, Any] = field(default_factory=dict)  # fields of a ``Patience``, where early stopping watches
    done: int = 0  # batches of the epoch in which it was stopped

    def begin(self, phase: int, before: dict[str, str], images: int) -> None:
        self.phase, self.before, self.images_before = phase, before, images

    def note(self, inputs: Inputs) -> None:
        """Take note of what this phase trains on; of an earlier process's note, which computed it, that stays."""
        note = {
            "reason": sentences.encode(inputs.reason),
            "from_cache": [features.from_cache for features in inputs.features],
            "seconds": sum(features.seconds for features in inputs.features),
            "bfloat16": inputs.bfloat16,
            "learn_s": sum(features.cost_s for features in inputs.features[:1]),
            "cpu_s": inputs.features[0].cost_cpu_s if inputs.features else None,  # None: nothing was computed
        }
        self.notes.setdefault(str(self.phase), note)

    def result(self) -> dict[str, Any]:
        """Return the part of a FitResult that is known here."""
        notes = self.notes.values()
        kept = [found for note in notes for found in note["from_cache"]]
        return {
            "cached": bool(kept),
            "from_cache": bool(kept) and all(kept),
            "bfloat16": any(note.get("bfloat16") for note in notes),
            "prefix_s": sum(note["seconds"] for note in notes),
            "prefix_cpu_s": self._cpu_s(),
            "prefix_learn_s": sum(note.get("learn_s", 0.0) for note in notes),
            "reason": sentences.join(sentences.decode(note["reason"]) for note in notes) or prefix.STOPPED,
            "proof": decode(tuple[ProofRow, ...], self.proof),
            **self._ending(),
        }

    def _cpu_s(self) -> float | None:
        """Return the processor seconds of what was computed once; None where an older version did not count them."""
        counted = [note.get("cpu_s", 0.0) for note in self.notes.values()]
        return None if 0.0 in counted else sum(seconds for seconds in counted if seconds)

    def _ending(self) -> Mapping[str, int]:
        """Return which epoch's weights early stopping kept, and how long it had waited when it ended the training."""
        if not self.patience:
            return {}
        over = self.patience["waited"] >= self.patience["most"]
        return {"best_epoch": self.patience["epoch"], "waited": self.patience["waited"] if over else 0}
