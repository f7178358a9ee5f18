"""A run's settings and result as JSON."""

import json

from tlcore import sentences
from tlcore.sentences import Sentence
from tlcore.spec import to_json
from tlcore.store import Run, Store

from .exporter import Exporter, Part


class Settings(Exporter):
    """What a run was asked to do, with which versions and data, and what came out."""

    name = "json"

    def parts(self, run: Run, store: Store) -> tuple[Part, ...]:
        title = Sentence("Settings and result (JSON)")
        return (Part(".json", title, lambda: run_json(run).encode(), "application/json"),)


def run_json(run: Run, result: bool = True) -> str:
    """Return a run as indented JSON: settings, seed, versions, data hash, state, and its result unless left out."""
    fields = {
        "id": run.id,
        "name": run.name,
        "note": run.note,
        "kind": run.kind,
        "state": run.state,
        "error": str(run.error),
        "seed": run.seed,
        "spec": json.loads(to_json(run.spec)),
        "versions": run.versions,
        "data_sha256": run.data_hash,
        "created": run.created,
        "started": run.started,
        "finished": run.finished,
        "attempt": run.attempt,
    }
    if result:
        fields["result"] = sentences.in_english(run.stored)
    return json.dumps(fields, indent=2, ensure_ascii=False)
