"""The command that learns classes of one's own from folders of pictures."""

import json
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

import numpy as np

from tlcore import teaching
from tlcore.errors import DataError
from tlcore.prediction import collected
from tlcore.sentences import between, percent

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
                console.tell(f"{path}: {error}")
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
    rows = [[name, str(int((y == k).sum())), f"{score.by_class[k][0]} of {score.by_class[k][1]}"]
            for k, name in enumerate(names)]  # fmt: skip
    said = (
        f"Right about {score.n_right} of {score.n} examples that it had not seen: {percent(score.share)} "
        f"({between(*score.interval)}). The largest class alone is {percent(score.guess)}."
    )
    values = {**asdict(score), "share": score.share, "interval": score.interval, "classes": names}
    console.show(options, values, f"{console.table(['class', 'examples', 'right, left out'], rows)}\n\n{said}")
    for path in options.ask:
        try:
            shares = head.predict_proba(extract(read_item(path, kind.form, True)[None]))[0]
        except DataError as error:
            console.tell(f"{path}: {error}")
            code = console.BAD
            continue
        console.say(json.dumps({"file": str(path), **as_words(names, shares)}))
    return code


def class_folders(folder: Path) -> tuple[list[str], list[list[Path]]]:
    """Return the names of a folder's folders and the files in each; what is hidden is left out.

    Raises
    ------
    DataError
        There is no such folder.
    """
    if not folder.is_dir():
        raise DataError("There is no folder {folder}. Name one that holds a folder for each class.", folder=folder)
    kept = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__MACOSX")))
    return [path.name for path in kept], [
        sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith(".")) for path in kept
    ]
