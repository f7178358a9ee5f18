"""The command that learns classes of one's own from folders of pictures."""

import json
import os
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

import numpy as np

from tlcore import exports, teaching
from tlcore.errors import DataError, LabError
from tlcore.exports.portable import taught
from tlcore.prediction import collected
from tlcore.sentences import between, percent
from tlcore.translation import _, shown

from . import console
from .answers import as_words, read_item


def teach(options: Namespace) -> int:
    """Learn a folder of class folders, say how well, and answer what is asked; nothing is kept."""
    kind = teaching.kind(options.kind)
    names, files = class_folders(options.folder)
    items, labels, code = [], [], console.OK
    for label, paths in enumerate(files):
        for path in paths:
            try:
                items.append(read_item(path, kind.form, True))
                labels.append(label)
            except DataError as error:
                console.tell(f"{path}: {shown(error.sentence)}")
                code = console.BAD
    y = np.array(labels, np.int64)
    if len(np.unique(y)) < 2:
        raise DataError("Two classes with a picture each are needed, and {folder} has fewer.", folder=options.folder)
    with console.quiet():
        extract = collected.extractor(kind)
        x = np.concatenate([extract(np.stack(items[i : i + 64])) for i in range(0, len(items), 64)])
    score = teaching.score(x, y, len(names))
    assert score is not None
    head = teaching.fit(x, y, len(names))
    rows = [[name, str(int((y == k).sum())), _("{hits} of {n}").format(hits=hits, n=n)]
            for k, (name, (hits, n)) in enumerate(zip(names, score.by_class, strict=True))]  # fmt: skip
    said = _(
        "Right about {k} of {n} examples that it had not seen: {share} ({interval}). The largest class alone is "
        "{guess}."
    ).format(
        k=score.n_right,
        n=score.n,
        share=percent(score.share),
        interval=between(*score.interval),
        guess=percent(score.guess),
    )
    if score.n_test:
        said += "\n" + _(
            "Test set, the last fifth of each folder's files by name, asked of a head that learned from the others: "
            "right about {k} of {n}: {share} ({interval})."
        ).format(
            k=score.test_right,
            n=score.n_test,
            share=percent(score.test_share),
            interval=between(*score.test_interval),
        )
    values = {**asdict(score), "share": score.share, "interval": score.interval, "classes": names}
    values |= {"test_share": score.test_share, "test_interval": score.test_interval}
    text = console.table([_("class"), _("examples"), _("right, left out")], rows)
    console.show(options, values, f"{text}\n\n{said}")
    if options.to is not None:
        code = max(code, _written(options, kind, np.stack(items), x, y, names))
    for path in options.ask:
        try:
            shares = head.predict_proba(extract(read_item(path, kind.form, True)[None]))[0]
        except DataError as error:
            console.tell(f"{path}: {shown(error.sentence)}")
            code = console.BAD
            continue
        console.say(json.dumps({"file": str(path), **as_words(names, shares)}))
    return code


def _written(
    options: Namespace, kind: teaching.Kind, items: np.ndarray, x: np.ndarray, y: np.ndarray, names: list[str]
) -> int:
    """Write what was learned as files, each tried on the examples; say of each how that went."""
    code = console.OK
    for form in options.what:
        name = f"taught{taught.FORMS[form][0]}"
        try:
            with console.quiet():
                made = taught.made_of(kind, items, x, y, names, form)
            [path] = exports.write({name: made.content}, options.to)
            console.tell(f"{path}: {shown(taught.told(made))}")
        except LabError as error:
            console.tell(f"{name}: {shown(error.sentence)}")
            code = console.BAD
    return code


def class_folders(folder: Path) -> tuple[list[str], list[list[Path]]]:
    """Return the names of a folder's folders and the files in each; what is hidden is left out.

    Raises
    ------
    DataError
        There is no such folder.
    """
    if not os.path.isdir(folder):
        raise DataError("There is no folder {folder}. Name one that holds a folder for each class.", folder=folder)
    kept = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__MACOSX")))
    return [path.name for path in kept], [
        sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith(".")) for path in kept
    ]
