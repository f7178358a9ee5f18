"""The command line: each command, its help, its refusals in one sentence, and the exit codes."""

# What a test has just made is there, and of the kind it made; the types cannot know that.
# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false, reportArgumentType=false
# pyright: reportOptionalOperand=false

import argparse
import hashlib
import json
import os
import pickle
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from functools import cache
from pathlib import Path

import by_command
import numpy as np
import pytest
from PIL import Image
from waiting import wait_for

from tlcore import cli, datasets, prediction, sources, translation
from tlcore.commands import answers, console, evidence, launch, local_run
from tlcore.datasets.mnist import FORM
from tlcore.errors import SpecError, StoreError
from tlcore.heads import HEADS
from tlcore.inputs.digits import normalise, shrink
from tlcore.inputs.pictures import read_image
from tlcore.jobs import execution as worker
from tlcore.prediction import taught
from tlcore.recipes import article_recipe, break_it, scratch_control
from tlcore.sentences import Sentence, percent, spread
from tlcore.sources import making
from tlcore.spec import (
    RANGES,
    ByHand,
    ComparisonSpec,
    DataSpec,
    FineTuneSpec,
    HeadSpec,
    MetricPoint,
    Phase,
    Progress,
    SweepSpec,
)
from tlcore.store import Store

ROOT = Path(__file__).resolve().parent.parent
TINY = ("--per-class", "5")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty data folder that commands take by themselves."""
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path / "lab"))
    return tmp_path / "lab"


@pytest.fixture
def do(home, capsys, monkeypatch):
    """Run a command line in this process: exit code, what it printed, what it said on the error stream."""

    # Were a check before the start to fail, this very process would become the server.
    monkeypatch.setattr(os, "execve", lambda *words: pytest.fail("the server was started"))

    def run(*line):
        code = cli.main([str(word) for word in line])
        return code, *capsys.readouterr()

    return run


def refused(said, *words):
    """One sentence for a person, with these words."""
    assert said.count("\n") == 1 and said.endswith(".\n"), said
    assert "Traceback" not in said and "usage:" not in said
    assert all(word in said for word in words), said
    return True


def command(*line, home):
    """Run ``python -m tlcore`` as a person does, Keras' import and all; ``by_command`` is quicker."""
    settings = {"cwd": ROOT, "text": True, "env": os.environ | {"TRANSFER_LAB_HOME": str(home)}}
    return subprocess.run([sys.executable, "-m", "tlcore", *map(str, line)], capture_output=True, **settings)


parser = cache(cli.parser)


def parsed(*line):
    return parser().parse_args([str(word) for word in line])


# -- the line itself


def commands(parser, name=()):
    """Yield every command with its parser, the nested ones too."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, inner in action.choices.items():
                yield (*name, word), inner
                yield from commands(inner, (*name, word))


COMMANDS = dict(commands(parser()))


def test_no_command_is_missing():
    inner = {
        *(("datasets", word) for word in ("report", "add", "remove", "rename", "revise", "pack")),
        *(("sources", word) for word in ("rebuild", "fetch", "add", "keep", "remove")),
        *(("runs", word) for word in ("show", "compare", "delete", "restore", "stop", "resume")),
        *(("runs", word) for word in ("name", "note", "recover", "send", "report")),
        *(("token", word) for word in ("make", "list", "revoke")),
        *(("rooms", word) for word in ("open", "set", "race", "pause", "resume", "clear", "close", "save")),
    }
    words = "sources datasets describe train find-rate compare heads sweep claims break-it race what-if predict"
    words += (
        " evaluate teach explain look inside map lesson runs export rooms token reproduce import serve worker scheduler"
    )
    assert set(COMMANDS) == {(word,) for word in words.split()} | inner


@pytest.mark.parametrize("name", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example_that_parses(do, name):
    code, printed, said = do(*name, "--help")
    assert code == 0 and not said
    examples = re.findall(r"^  python -m tlcore (.*)$", printed, re.MULTILINE)
    assert examples
    for example in examples:
        parsed(*example.split())
    flags = [action for action in COMMANDS[name]._actions if not isinstance(action, argparse._SubParsersAction)]
    assert all(action.help for action in flags)


def test_help_lists_every_command(do):
    code, printed, _ = do("--help")
    assert code == 0 and all(f"    {name[0]} " in printed for name in COMMANDS)


def test_help_lists_every_exit_code(do):
    _, printed, _ = do("--help")
    assert all(f"\n  {number} " in printed for number in (0, 1, 2, 130))


def test_lists_help_and_refusals_load_no_keras_and_no_scikit_learn(home):
    lines = ["--help", "train --help", "sources", "datasets", "heads --list", "describe digits", "runs"]
    lines += ["predict --list", "train --epochs 0", "predict nothing.png"]
    code = f"""
import sys
from tlcore.cli import main
codes = [main(line.split()) for line in {lines!r}]
print("codes:", *codes, "loaded:", *{{name.partition(".")[0] for name in sys.modules}})
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    codes, _, loaded = done.stdout.rpartition("codes:")[2].partition("loaded:")
    assert codes.split() == ["0"] * 8 + ["2"] * 2, done.stderr
    assert "tlcore" in loaded.split()
    assert not {"keras", "tensorflow", "sklearn", "skops", "streamlit"} & set(loaded.split())


# -- settings


def test_a_bare_line_means_the_defaults_of_the_specs():
    assert local_run.fine_tune_spec(parsed("train")) == FineTuneSpec()
    assert local_run.head_spec(parsed("heads")) == replace(HeadSpec(), curves=False)


def test_every_flag_reaches_the_spec():
    line = "--source fashion --target digits_8x8 --split article --per-class all --freeze conv_1,pool_1 --epochs 3 "
    line += "--batch-size 32 --optimizer sgd --learning-rate 0.01 --seed 7"
    spec = local_run.fine_tune_spec(parsed("train", *line.split()))
    assert (spec.source, spec.batch_size, spec.optimizer, spec.seed) == ("fashion", 32, "sgd", 7)
    assert spec.phases == (Phase(epochs=3, frozen=("conv_1",), learning_rate=0.01),)
    assert spec.data == replace(spec.data, target="digits_8x8", split="article", per_class=None, seed=7)
    line = "--source digits --layer dense_1 --heads all --inputs pixels,features,pixels --seeds 4,5 --per-class 9"
    spec = local_run.head_spec(parsed("heads", *line.split()))
    assert (spec.source, spec.layer, spec.heads, spec.seeds) == ("digits", "dense_1", tuple(HEADS), (4, 5))
    assert spec.inputs == ("pixels", "features") and (spec.data.per_class, spec.data.seed) == (9, 4)
    line = "--set linear_svm.C=0.1,random_forest.depth=8,random_forest.trees=200,linear_svm.pca=off"
    hand = local_run.head_spec(parsed("heads", *line.split())).by_hand
    assert hand == (ByHand("linear_svm", "C", 0.1), ByHand("random_forest", "depth", 8))  # the others are the defaults


def test_every_flag_of_a_sweep_reaches_its_spec():
    assert evidence.sweep_spec(parsed("sweep")) == SweepSpec()
    line = "--sources fashion,random --target digits_8x8 --split article --cuts pixels,dense_1 --methods knn,scratch "
    line += "--per-class 3,4 --seeds 7,8 --n-test 200 --training-steps 50"
    assert evidence.sweep_spec(parsed("sweep", *line.split())) == SweepSpec(
        sources=("fashion", "random"),
        target="digits_8x8",
        split="article",
        cuts=("pixels", "dense_1"),
        methods=("knn", "scratch"),
        per_class=(3, 4),
        seeds=(7, 8),
        n_test=200,
        n_steps=50,
    )
    assert evidence.sweep_spec(parsed("sweep", "--n-test", "all")).n_test is None


def test_recipes():
    assert local_run.fine_tune_spec(parsed("train", "--recipe", "article", "--seed", 2)) == article_recipe(2)
    scratch = local_run.fine_tune_spec(parsed("train", "--scratch", "--epochs", 4))
    assert scratch == scratch_control(FineTuneSpec(phases=(Phase(4),)))
    two = local_run.fine_tune_spec(parsed("train", "--recipe", "two-phase", "--epochs", 5, "--learning-rate", 0.01))
    assert local_run.fine_tune_spec(parsed("train", "--film")) == FineTuneSpec(film=True)
    head, rest = two.phases
    assert (head.epochs, head.frozen, head.learning_rate) == (2, ("conv_1", "conv_2", "dense_1"), 0.01)
    assert (rest.epochs, rest.frozen, rest.learning_rate) == (3, ("conv_1", "conv_2"), 0.001)


@pytest.mark.parametrize("name", ["epochs", "batch_size", "learning_rate", "seed", "per_class"])
def test_every_number_is_held_against_its_range(do, name):
    flag, (low, high, default) = f"--{name.replace('_', '-')}", RANGES[name]
    assert str(default) in COMMANDS["train",].format_help()
    for value in (low - 1, high + 1, "ten", ""):
        code, printed, said = do("train", flag, value)
        assert code == 2 and not printed
        assert refused(said, name.replace("_", " ").capitalize(), f"from {low:,} to {high:,}", f"Received: {value!r}")
    for value in (low, high):
        assert getattr(parsed("train", flag, value), name) == value


REFUSED = {
    "": "required: COMMAND",
    "fly": "invalid choice: 'fly'",
    "train --fast": "Unrecognized arguments: --fast",
    "train --epoch 3": "Unrecognized arguments: --epoch 3",
    "train --epochs": "expected one argument",
    "train --source cats": "There is no source model 'cats'. Pick one of: digits_0_4, digits, fashion, random",
    "train --target letters": "Pick one of: mnist, mnist_0_4, mnist_5_9",
    "train --split thirds": "There is no split 'thirds'. Pick one of: standard, article.",
    "train --optimizer adamw": "Pick one of: adam, rmsprop, sgd.",
    "train --recipe soup": "Pick one of: one-phase, two-phase, gradual, article.",
    "train --preset all": "Pick one of: nothing, article, convolutions, all_but_head",
    "train --freeze conv_9": "Cannot freeze conv_9: digits_0_4 has the layers conv_1, pool_1, conv_2",
    "train --freeze conv_1,conv_2,dense_1,dense_2": "nothing would train",
    "train --freeze conv_1 --preset nothing": "not allowed with",
    "train --per-class 6000": "has at most 4,879 training images of every class",
    "train --recipe article --epochs 3": "The article's recipe fixes what --epochs sets.",
    "heads --heads bayes": "There is no head 'bayes'. Pick one of: linear_svm, rbf_svm",
    "heads --heads ,": "No head was chosen.",
    "heads --layer conv_9": "There is no layer 'conv_9'. Pick one of: conv_1, pool_1",
    "heads --inputs sounds": "There is no input 'sounds'. Pick one of: features, pixels.",
    "heads --set linear_svm": "--set takes HEAD.NAME=VALUE. Received: 'linear_svm'. Try linear_svm.C=0.1.",
    "heads --set linear_svm.k=3": "There is no setting of linear_svm 'k'. Pick one of: C, pca.",
    "heads --set linear_svm.C=0": "C must be a number from 0.0001 to 10,000. Received: 0.",
    "heads --set random_forest.depth=deep": "or no limit. Received: 'deep'.",
    "heads --set rbf_svm.kernel=cosine --heads rbf_svm": "kernel must be one of rbf, linear, poly.",
    "heads --set knn.k=3": "k-nearest neighbours is set by hand but not chosen.",
    "heads --set linear_svm.C=2,linear_svm.C=3": "A hyperparameter of Linear SVM is set twice.",
    "heads --heads knn --set knn.k=30": "k-nearest neighbours (k = 30) needs more than these 25 training images.",
    "heads --seeds 0,x": "Received: 'x'",
    "heads --seeds ,": "needs at least one seed",
    "break-it everything": "There is no mistake 'everything'. Pick one of: freeze_too_deep, wrong_source",
    "sweep --study cats": "There is no study 'cats'. Pick one of: label_savings, claims, hands,",
    "sweep --cuts conv_9": "There is no cut 'conv_9'. Pick one of: pixels, conv_1",
    "sweep --methods magic": "There is no method 'magic'. Pick one of: linear_svm",
    "sweep --methods h_score --per-class 1": "This sweep has 0 experiments",
    "sweep --per-class 6000": "has at most 4,879 training images of every class",
    "sweep --budget 1": "Time budget must be a whole number from 5 to 86,400. Received: 1.",
    "sweep --n-test few": "Test images must be a whole number from 100 to 70,000. Received: 'few'.",
    "sweep --record": "Only a study can be recorded. Name one: --study label_savings or claims or hands",
    "sweep --resume abcdef": "There is no run 'abcdef'.",
    "describe cats": "There is no source model 'cats'.",
    "describe digits --freeze conv_9": "Cannot freeze conv_9: digits has the layers",
    "sources rebuild cats": "There is no source model 'cats'.",
    "predict": "Name at least one picture file",
    "predict --model cats x.png": "There is no model 'cats'. Pick one of: digits_0_4, digits, fashion, or a run's",
    "predict --model abcdef x.png": "There is no run 'abcdef'.",
    "predict --model random x.png": "There is no model 'random'.",
    "runs show 0123456789abcdef": "There is no run '0123456789abcdef'. Give an id",
    "runs stop ../../etc": "There is no run '../../etc'.",
    "runs delete 12345": "its first 6 characters or more",
    "runs --state dead": "Pick one of: queued, running, done, stopped, failed.",
    "runs --limit 0": "The limit must be a whole number from 1 on. Received: '0'.",
    "export abcdef --to x": "There is no run 'abcdef'.",
    "export abcdef": "required: --to",
    "export abcdef --to x --what all": "Pick one of: model, heads, metrics, experiments, answers, json, html,",
    "serve --port abc": "PORT must be a whole number from 1 to 65535. Received: 'abc'. Try PORT=8501.",
    "serve --port 65536": "Received: '65536'",
    "serve --host no.such.host.invalid": "Cannot listen on no.such.host.invalid:8501",
}


@pytest.mark.parametrize("line", REFUSED, ids=lambda line: line or "nothing")
def test_what_cannot_be_used_is_one_sentence_and_starts_nothing(do, home, line):
    code, printed, said = do(*line.split())
    assert code == 2 and not printed
    assert refused(said, REFUSED[line])
    assert Store(home).count() == 0


@pytest.mark.parametrize("line", ["runs", "train", "heads", "predict --list", "serve --port 0", "export abcdef --to x"])
def test_a_home_that_is_a_file_is_one_sentence(do, tmp_path, line):
    (tmp_path / "file").write_text("mine")
    if line.startswith("serve"):
        line = f"serve --port {free_port()}"
    code, printed, said = do(*line.split(), "--home", tmp_path / "file")
    assert code == 2 and not printed and refused(said, f"The data folder {tmp_path / 'file'} cannot be used")
    assert (tmp_path / "file").read_text() == "mine"


def test_the_home_may_stand_before_or_after_the_command(do, tmp_path):
    Store(tmp_path / "other").create(FineTuneSpec(), name="there")
    for line in (("--home", tmp_path / "other", "runs"), ("runs", "--home", tmp_path / "other")):
        assert "there" in do(*line)[1]
    assert do("runs")[1] == "No runs.\n"


def test_a_bug_is_one_sentence_with_a_log_id(do, home, monkeypatch):
    home.mkdir()
    monkeypatch.setattr(sources, "catalogue", lambda: 1 / 0)
    code, printed, said = do("sources")
    log_id = re.search(r"has it under ([0-9a-f]{8})\.", said)
    assert code == 1 and not printed and refused(said, "Something went wrong") and log_id
    log = (home / "commands.log").read_text()
    assert f"log id {log_id[1]}" in log and "ZeroDivisionError" in log


def test_a_reader_that_has_seen_enough_gets_no_complaint(home):
    line = [sys.executable, "-m", "tlcore", "datasets", "--json"]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


# -- lists


def test_the_lists_hold_every_name(do):
    for line, expected in (
        (("sources",), sources.names()),
        (("datasets",), [entry.name for entry in datasets.catalogue()]),
        (("heads", "--list"), list(HEADS)),
        (("predict", "--list"), ["digits_0_4", "digits", "fashion"]),
    ):
        code, printed, said = do(*line)
        assert code == 0 and not said
        rows = [row for row in printed.splitlines()[1:] if not row.startswith("Not here: ")]
        assert [row.split()[0] for row in rows] == list(expected)
        code, printed, _ = do(*line, "--json")
        assert code == 0 and [row["name"] for row in json.loads(printed)] == list(expected)


def test_describe_shows_each_layer_and_sums_that_add_up(do):
    code, printed, _ = do("describe", "digits", "--freeze", "conv_1,dense_1")
    assert code == 0 and re.search(r"conv_1 +Conv2D +26 × 26 × 32 +320 +0\.3 % +frozen\n", printed)
    assert "nothing to freeze" in printed and "trainable" in printed
    sums, saved = printed.splitlines()[-2:]
    assert sums == "121,930 weights in all: 19,146 train and 102,784 are frozen."
    assert saved.startswith("19,146 of 121,930 weights will train (15.7 %): each step needs about ")
    fields = json.loads(do("describe", "digits", "--preset", "convolutions", "--json")[1])
    assert sum(layer["n_weights"] for layer in fields["layers"]) == fields["n_weights"] == 121_930
    assert [layer["name"] for layer in fields["layers"] if layer["state"] == "frozen"] == ["conv_1", "conv_2"]
    assert fields["n_trainable"] == 103_114 and 0 < fields["share"] < 1
    assert "nothing would train" in do("describe", "digits", "--freeze", "conv_1,conv_2,dense_1,dense_2")[1]


def test_rebuild_hands_its_words_on(do, monkeypatch, tmp_path):
    called = []
    monkeypatch.setattr(making, "rebuild", lambda *words: called.append(words))
    assert do("sources", "rebuild", "digits")[0] == 0
    assert do("sources", "rebuild", "fashion", "--data", "d", "--folder", tmp_path, "--epochs", 2)[0] == 0
    assert called == [("digits", sources.FOLDER, None, None), ("fashion", tmp_path, Path("d"), 2)]


# -- runs


def ended(store, files=None, state="done", **fields):
    """Return a run that has ended and left these files, by name."""
    run = store.create(FineTuneSpec(), name="named")
    known = {}
    for name, content in (files or {}).items():
        path = store.run_folder(run.id, create=True) / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        known[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    attempt = store.claim(run.id)
    attempt.add_points([MetricPoint("train", 1.0, 0.5, 0.75)])
    test = {"accuracy": 0.875, "low": 0.8, "high": 0.95, "n": 100}
    proof = [{"phase": 0, "layer": "conv_1", "frozen": True, "before": "a", "after": "a", "ok": True}]
    result = {"test": test, "proof": proof, "class_names": ["5", "6"], "files": known, **fields}
    store.finish(run.id, state, {} if state == "failed" else result, Sentence("It broke." if state == "failed" else ""))
    return store.get(run.id)


def test_runs_are_listed_newest_first_and_filtered(do, home):
    store = Store(home)
    first, second = ended(store), ended(store, state="failed")
    third = store.create(HeadSpec())
    code, printed, _ = do("runs")
    assert code == 0 and [row[:16] for row in printed.splitlines()[1:]] == [third.id, second.id, first.id]
    assert "87.5 %" in printed and "80.0 – 95.0 %" in printed
    assert "named" in printed and "digits_0_4 → mnist_5_9" in printed
    for line, expected in (
        (("--state", "failed"), [second.id]),
        (("--kind", "heads"), [third.id]),
        (("--limit", 1), [third.id]),
        (("--deleted",), []),
    ):
        assert [row["id"] for row in json.loads(do("runs", *line, "--json")[1])] == expected


def test_runs_are_found_by_what_they_are_and_sorted(do, home):
    store = Store(home)
    tuned, heads = ended(store), store.create(HeadSpec(heads=("knn",), data=DataSpec(per_class=None)))
    scratch = store.create(FineTuneSpec(source="random", phases=(Phase(),)), name="the control")
    for line, found in (
        (("--method", "knn"), [heads]),
        (("--per-class", "all"), [heads]),
        (("--source", "random", "--target", "mnist_5_9"), [scratch]),
        (("--search", "Control"), [scratch]),
        (("--method", "knn", "--state", "done"), []),
        (("--sort", "accuracy", "--limit", 1), [tuned]),
        (("--ascending",), [tuned, heads, scratch]),
    ):
        code, printed, _ = do("runs", *line, "--json")
        assert (code, [row["id"] for row in json.loads(printed)]) == (0, [run.id for run in found]), line
    assert do("runs", "--sort", "luck")[0] == 2
    assert "--deleted takes" in do("runs", "--deleted", "--method", "knn")[2]


def test_runs_are_compared_by_what_they_reached_and_by_what_differs(do, home):
    store = Store(home)
    one, other = ended(store), ended(store)
    third = store.create(FineTuneSpec(data=DataSpec("fashion_mnist"), batch_size=32))
    code, printed, _ = do("runs", "compare", one.id[:6], other.id)
    assert code == 0 and "87.5 %" in printed and "A tie" in printed.replace("a tie", "A tie")
    values = json.loads(do("runs", "compare", one.id, third.id, "--json")[1])
    assert [run["id"] for run in values["runs"]] == [one.id, third.id] and values["verdict"] == ""
    assert {run["own task"] for run in values["runs"]} == {"–"}, "an older run did not measure it"
    assert values["differ"]["Batch size"] == ["16", "32"] and "Optimizer" not in values["differ"]
    assert "different tasks" in do("runs", "compare", one.id, third.id)[1]
    assert do("runs", "compare", one.id)[0] == 2
    assert do("runs", "compare", one.id, one.id)[0] == 2


def test_a_run_is_shown_whole(do, home):
    run, broken = ended(Store(home)), ended(Store(home), state="failed")
    code, printed, _ = do("runs", "show", run.id[:6])
    assert code == 0 and f"Run {run.id}: done" in printed
    assert "Test accuracy 87.5 % on 100 images never trained on; 95 % interval 80.0 % to 95.0 %." in printed
    assert "1 frozen layers are bit for bit unchanged" in printed
    assert "It broke." in do("runs", "show", broken.id)[1]
    assert json.loads(do("runs", "show", run.id, "--json")[1])["result"]["test"]["n"] == 100


def test_a_comparison_is_shown_with_its_verdict(do, home):
    store = Store(home)
    ways = [{"name": name, "run": ended(store).id, "ended": True} for name in ("fine_tune", "scratch")]
    run = store.create(ComparisonSpec(FineTuneSpec(), ways=("fine_tune", "scratch")))
    store.claim(run.id)
    store.finish(run.id, "done", {"ways": ways, "n_planned": 2})
    verdict = json.loads(do("runs", "show", run.id, "--json")[1])["verdict"]
    assert "tie" in verdict and verdict in do("runs", "show", run.id)[1]
    assert "verdict" not in json.loads(do("runs", "show", ways[0]["run"], "--json")[1])


def test_a_shortened_id_must_be_one_runs(do, home, monkeypatch):
    store = Store(home)
    for last in "12":
        monkeypatch.setattr("tlcore.store.runs.secrets.token_hex", lambda n, last=last: "abcdef012345678" + last)
        store.create(FineTuneSpec())
    code, _, said = do("runs", "show", "abcdef")
    assert code == 2 and refused(said, "Several runs begin with 'abcdef'", "abcdef0123456781", "abcdef0123456782")
    assert do("runs", "show", "abcdef0123456782")[0] == 0
    code, _, said = do("runs", "show", "999999")
    assert code == 2 and refused(said, "the newest are: abcdef0123456782, abcdef0123456781")


def test_a_deleted_run_comes_back(do, home):
    run = ended(Store(home))
    assert do("runs", "delete", run.id[:8])[0] == 0
    assert do("runs")[1] == "No runs.\n" and run.id in do("runs", "--deleted")[1]
    code, _, said = do("export", run.id, "--to", home / "out")
    assert code == 2 and refused(said, f"runs restore {run.id}")
    assert do("runs", "restore", run.id[:8])[0] == 0
    assert run.id in do("runs")[1]


def test_stop_ends_what_waits_asks_what_runs_and_leaves_what_ended(do, home):
    store = Store(home)
    waiting, running, done = store.create(FineTuneSpec()), store.create(FineTuneSpec()), ended(store)
    store.claim(running.id)
    assert "is stopped" in do("runs", "stop", waiting.id)[1]
    assert "stops after the current batch" in do("runs", "stop", running.id)[1]
    assert "is done" in do("runs", "stop", done.id)[1]
    assert store.get(running.id).stop_requested and store.get(waiting.id).state == "stopped"


def test_stop_ends_a_run_whose_process_is_gone(do, home):
    code = f"""
from pathlib import Path
from tlcore.spec import FineTuneSpec
from tlcore.store import Store
store = Store(Path({str(home)!r}))
run = store.create(FineTuneSpec())
store.claim(run.id)
print(run.id)
"""
    gone = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    assert Store(home).get(gone).state == "running"
    assert "is stopped" in do("runs", "stop", gone)[1]


def test_export_writes_what_there_is_or_what_was_asked(do, home, tmp_path):
    run = ended(Store(home), {"model.keras": b"weights", "heads/knn-pixels.skops": b"head"})
    code, printed, said = do("export", run.id[:6], "--to", tmp_path / "all")
    assert code == 0 and not said
    written = {path.name: path.read_bytes() for path in (tmp_path / "all").iterdir()}
    assert len(written) == 4 and set(printed.split()) == {str(tmp_path / "all" / name) for name in written}
    assert written[f"{run.id}-model.keras"] == b"weights" and written[f"{run.id}-knn-pixels.skops"] == b"head"
    assert written[f"{run.id}-metrics.csv"].decode().splitlines()[1] == "1,train,1.0,0.5,0.75,0.0"
    assert json.loads(written[f"{run.id}.json"])["id"] == run.id
    assert do("export", run.id, "--to", tmp_path / "some", "--what", "json,model")[0] == 0
    assert sorted(path.name for path in (tmp_path / "some").iterdir()) == [f"{run.id}-model.keras", f"{run.id}.json"]


def test_export_of_a_damaged_or_missing_file_writes_nothing(do, home, tmp_path):
    store = Store(home)
    run = ended(store, {"model.keras": b"weights"})
    model = store.run_folder(run.id) / "model.keras"
    model.write_bytes(b"weighty")
    code, _, said = do("export", run.id, "--to", tmp_path / "out")
    assert code == 1 and refused(said, "damaged") and not (tmp_path / "out").exists()
    model.unlink()
    code, _, said = do("export", run.id, "--to", tmp_path / "out")
    assert code == 1 and refused(said, "missing") and not (tmp_path / "out").exists()
    code, _, said = do("export", run.id, "--to", tmp_path / "out", "--what", "heads")
    assert code == 2 and refused(said, f"Run {run.id} has no heads. It has: model, metrics, json, html, onnx,")
    code, _, said = do("export", run.id, "--to", store.folder / "lab.db", "--what", "json")
    assert code == 2 and refused(said, "lab.db cannot be written")


# -- a run that goes on in this process


@pytest.fixture
def execute(monkeypatch):
    """Put a function in the place of the worker's."""
    return lambda function: monkeypatch.setattr(worker, "execute", function)


def wait_for_stop(attempt):
    """Return when the run is asked to stop, as a worker notices it; fail after half a minute."""
    for _ in range(3000):
        if attempt.beat():
            return
        threading.Event().wait(0.01)
    raise AssertionError("the run was not asked to stop")


def test_a_failed_run_has_its_reason_on_the_error_stream(do, home, execute):
    def fail(run_id, folder):
        store = Store(Path(folder))
        store.claim(run_id)
        store.finish(run_id, "failed", error=Sentence("The loss stopped being a number."))

    execute(fail)
    code, printed, said = do("train", *TINY, "--name", "mine")
    assert code == 1 and refused(said, "The loss stopped being a number.")
    assert printed.startswith("Run ") and ": mine\n" in printed and ": failed" in printed
    assert [run.name for run in Store(home).list()] == ["mine"]
    code, printed, said = do("train", *TINY, "--json")
    assert code == 1 and json.loads(printed)["error"] == "The loss stopped being a number."


def test_a_run_that_a_server_took_first_is_followed_to_its_end(do, home, execute, monkeypatch):
    told = threading.Event()
    monkeypatch.setattr(local_run, "identity", lambda: "this process")  # whose claim came too late

    def lose(run_id, folder):
        server = Store(Path(folder))
        assert (attempt := server.claim(run_id))
        attempt.add_points([MetricPoint("train", 1, 0.5, 0.5), MetricPoint("validation", 1, 0.25, 0.75, 2.0)])
        threading.Thread(target=finish, args=(server, run_id)).start()

    def finish(server, run_id):
        if told.wait(30):
            server.finish(run_id, "done", {})

    def hear(text, say=console.say):
        say(text)
        if text.startswith("epoch"):
            told.set()

    monkeypatch.setattr(console, "say", hear)
    execute(lose)
    code, printed, said = do("train", *TINY, "--epochs", 1)
    assert code == 0 and not said
    assert (
        "epoch     1/1  train loss 0.5000 accuracy 50.0 %  validation loss 0.2500 accuracy 75.0 %  2.0 s\n" in printed
    )


def test_a_run_that_goes_on_after_its_process_was_lost_tells_no_epoch_twice():
    said = []
    lines = console.LiveLines(said.append)
    run = Store().create(FineTuneSpec(phases=(Phase(2),)))
    epoch = [MetricPoint("train", 1.0, 0.5, 0.5), MetricPoint("validation", 1.0, None, 0.5)]
    lines.show(replace(run, attempt=1, progress=Progress(message=Sentence("loading"))), list(enumerate(epoch, 1)))
    assert lines.since == 2
    lines.show(replace(run, attempt=2), [])
    assert lines.since == 0
    epoch += [replace(point, x=2.0) for point in epoch]
    lines.show(replace(run, attempt=2), list(enumerate(epoch, 1)))
    first = "epoch     1/2  train loss 0.5000 accuracy 50.0 %  validation loss – accuracy 50.0 %  0.0 s"
    assert said == [
        first,
        "loading",
        "its process was lost: it goes on from what was finished",
        first.replace("epoch     1", "epoch     2"),
    ]


def test_a_store_that_fails_in_the_middle_is_one_sentence(do, execute):
    def fail(run_id, folder):
        Store(Path(folder)).claim(run_id)
        raise StoreError("The run store is full.")

    execute(fail)
    code, _, said = do("train", *TINY)
    assert code == 2 and refused(said, "The run store is full.")


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_asks_the_run_to_stop_and_waits_for_it(do, home, execute, sign):
    before = signal.getsignal(signal.SIGINT)

    def work(run_id, folder):
        store = Store(Path(folder))
        attempt = store.claim(run_id)
        os.kill(os.getpid(), sign)
        wait_for_stop(attempt)
        store.finish(run_id, "stopped", {"stopped": True})

    execute(work)
    code, printed, said = do("train", *TINY)
    assert code == 130 and said == "Stopping; press Ctrl+C again to end at once.\n"
    (run,) = Store(home).list()
    assert f"Run {run.id}: stopped" in printed and run.stored == {"stopped": True}
    assert signal.getsignal(signal.SIGINT) is before


def test_a_run_stops_when_nobody_reads_what_it_says(do, home, execute, monkeypatch):
    def broken(text):
        if text == "at work":
            raise BrokenPipeError

    monkeypatch.setattr(console, "say", broken)

    def work(run_id, folder):
        store = Store(Path(folder))
        attempt = store.claim(run_id)
        attempt.beat(Progress(message=Sentence("at work")))
        wait_for_stop(attempt)
        store.finish(run_id, "stopped")

    execute(work)
    assert do("train", *TINY) == (1, "", "")
    assert [run.state for run in Store(home).list()] == ["stopped"]


def test_a_second_ctrl_c_ends_at_once(home):
    code = """
import os, signal, threading
from pathlib import Path
from tlcore import cli
from tlcore.jobs import execution as worker
from tlcore.store import Store

def work(run_id, folder):
    store = Store(Path(folder))
    attempt = store.claim(run_id)
    os.kill(os.getpid(), signal.SIGINT)
    while not attempt.beat():
        threading.Event().wait(0.01)
    os.kill(os.getpid(), signal.SIGINT)
    threading.Event().wait()

worker.execute = work
cli.main(["train", "--per-class", "5"])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 130 and "Ctrl+C again" in done.stderr
    assert [run.state for run in Store(home).list()] == ["stopped"]


def test_a_run_that_was_stopped_from_elsewhere_is_no_success(do, execute):
    def stopped(run_id, folder):
        Store(Path(folder)).request_stop(run_id)

    execute(stopped)
    code, _, said = do("train", *TINY)
    assert code == 1 and refused(said, "stopped from elsewhere")


# -- answers


def picture(path, image, sort="dark on light"):
    """Write a digit as a file: as MNIST has it, as ink on paper, or as a phone sees that."""
    size = 28 if sort == "light on dark" else 280
    grey = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC)).clip(0, 1)
    if sort != "light on dark":
        grey = 1 - grey
    if sort == "photograph":
        y, x = np.mgrid[0:size, 0:size] / size
        grey = np.pad(grey, 60, constant_values=1.0)[: size + 60, : size + 90]
        y, x = np.mgrid[0 : size + 60, 0 : size + 90] / size
        noise = np.random.default_rng(0).normal(0, 0.02, grey.shape)
        grey = (0.55 + 0.3 * x - 0.1 * y) * (0.3 + 0.7 * grey) + noise
    Image.fromarray((grey.clip(0, 1) * 255).astype(np.uint8)).save(path)
    return path


SORTS = ("light on dark", "dark on light", "photograph")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Real test digits as picture files: label of each path."""
    folder = tmp_path_factory.mktemp("digits")
    images, labels = datasets.samples("mnist", 10, seed=1)
    suffix = {"photograph": "jpg"}
    return {
        picture(folder / f"{label}-{sort.replace(' ', '-')}.{suffix.get(sort, 'png')}", image[..., 0], sort): str(label)
        for image, label in zip(images, labels, strict=True)
        for sort in SORTS
    }


@pytest.fixture
def bad_files(tmp_path):
    """Files that are no picture, each with its sentence."""
    (tmp_path / "pickle.png").write_bytes(pickle.dumps({"a": 1}))
    (tmp_path / "folder.png").mkdir()
    Image.new("L", (50, 50), 255).save(tmp_path / "blank.png")
    Image.effect_noise((200, 200), 90).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:9000])
    (tmp_path / "empty.png").touch()
    return {
        tmp_path / "missing.png": "There is no such file.",
        tmp_path / "pickle.png": "This is not a picture the app can read.",
        tmp_path / "empty.png": "This is not a picture the app can read.",
        tmp_path / "folder.png": "This is not a file.",
        tmp_path / "blank.png": "This picture is blank: there is nothing to read.",
        tmp_path / "cut.png": "This picture is damaged and cannot be read.",
    }


def test_a_bad_file_has_its_sentence_and_no_answer(do, bad_files):
    code, printed, said = do("predict", *bad_files)
    assert code == 2 and not printed
    lines = said.splitlines()
    assert len(lines) == len(bad_files)
    for line, (path, sentence) in zip(lines, bad_files.items(), strict=True):
        assert line.startswith(f"{path}: {sentence}")


@pytest.mark.parametrize(("flag", "prepare"), [((), normalise), (("--no-normalise",), shrink)])
def test_pictures_reach_the_model_as_the_pads_drawings_do(do, monkeypatch, digits, flag, prepare):
    seen = []

    def answer(images):
        seen.append(images)
        return np.array([[0.25, 0.75]], np.float32)

    model = prediction.Predictor("source:fashion", ("a", "b"), FORM, answer)
    monkeypatch.setattr(prediction, "predictor", lambda name, folder: model if name == model.name else None)
    path = next(iter(digits))
    code, printed, said = do("predict", "--model", "fashion", path, *flag)
    assert code == 0 and not said
    words = {"label": "b", "probability": 0.75, "probabilities": {"a": 0.25, "b": 0.75}}
    assert json.loads(printed) == {"file": str(path), "model": "fashion", **words}
    assert seen[0].shape == (1, 28, 28, 1)
    expected = np.round(255 * prepare(read_image(path.read_bytes()), 28))
    assert seen[0].dtype == np.uint8 and np.array_equal(seen[0][0, ..., 0], expected)


def test_a_shipped_model_needs_no_run_store(do, home, bad_files):
    assert do("predict", *bad_files)[0] == 2
    assert not home.exists()


def test_models_of_runs_have_short_names(home):
    store = Store(home)
    run = store.create(HeadSpec())
    rows = [
        {"head": "knn", "input": name, "accuracy": 0.5, "file": f"heads/knn-{name}.skops"}
        for name in ("features", "pixels")
    ]
    files = {row["file"]: {"sha256": "", "bytes": 0} for row in rows}
    store.claim(run.id)
    store.finish(run.id, "done", {"rows": rows, "class_names": ["5", "6"], "files": files})
    trained = ended(store, {"model.keras": b"weights"})
    assert answers.find_model(home, "digits") == "source:digits"
    assert answers.find_model(home, trained.id[:6]) == f"run:{trained.id}"
    assert answers.find_model(home, f"{run.id[:6]}/knn-pixels") == f"head:{run.id}/knn-pixels.skops"
    for name in (run.id, f"{run.id}/svm-pixels"):
        with pytest.raises(SpecError, match=rf"has: {run.id}/knn-features, {run.id}/knn-pixels"):
            answers.find_model(home, name)
    with pytest.raises(SpecError, match="has: none, it is failed"):
        answers.find_model(home, ended(store, state="failed").id)


# -- the server


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def started(monkeypatch):
    """What the command would have become, in place of becoming it."""
    became = []
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(os, "execve", lambda *words: became.append(words))
    monkeypatch.setattr(launch.logs, "gather", lambda: None)  # of this very process's standard error
    return became


def test_serve_becomes_streamlit_at_the_address_of_flags_or_environment(do, started, monkeypatch, home):
    port, other = free_port(), free_port()
    monkeypatch.setenv("PORT", str(port))
    monkeypatch.setenv("HOST", "localhost")
    do("serve")
    do("serve", "--port", other, "--host", "127.0.0.1")
    (program, line, environment), (_, second, _) = started
    assert program == sys.executable and line[1:5] == ["-m", "streamlit", "run", "app.py"]
    assert f"--server.port={port}" in line and "--server.address=localhost" in line
    assert f"--server.port={other}" in second and "--server.address=127.0.0.1" in second
    assert environment["TRANSFER_LAB_HOME"] == str(home) and environment["PORT"] == str(port)


def test_a_port_in_use_is_one_sentence(do, started):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, printed, said = do("serve", "--port", port)
    assert code == 2 and not printed and not started
    assert refused(said, f"Cannot listen on 127.0.0.1:{port}: Address already in use. Stop what uses it, or pick")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("no.such.name.invalid", ("Cannot listen on no.such.name.invalid", "no such host", "0.0.0.0 for everybody")),
        ("a" * 70 + ".example", ("no such host",)),  # longer than a part of a name may be
        ("1.2.3", ("Cannot listen on 1.2.3", "HOST must be an address of this machine")),  # read as 1.2.0.3
        ("192.0.2.77", ("Cannot listen on 192.0.2.77", "HOST must be an address of this machine")),
        ("0.0.0.0:80", ("no such host",)),
    ],
)
def test_a_host_that_is_none_is_told_from_a_port_in_use(do, started, host, words):
    code, _, said = do("serve", "--host", host, "--port", free_port())
    assert code == 2 and refused(said, *words) and "PORT" not in said and not started


@pytest.mark.parametrize("host", ["::1", "[::1]", "::", "0.0.0.0"])
def test_every_way_to_name_all_addresses_or_this_machine_is_taken(do, started, host):
    if ":" in host and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    assert do("serve", "--host", host, "--port", free_port())[0] != 2
    assert f"--server.address={host.strip('[]')}" in started[0][1]


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_a_site_that_may_not_embed_keeps_the_server_from_starting(do, started, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_EMBED", "https://moodle.example.edu http://plain.example")
    code, _, said = do("serve", "--port", free_port())
    assert code == 2 and refused(said, "TRANSFER_LAB_EMBED names the sites", "'http://plain.example'") and not started


def test_a_port_of_the_environment_that_is_none_is_one_sentence(do, started, monkeypatch):
    monkeypatch.setenv("PORT", "abc")
    code, _, said = do("serve")
    assert code == 2 and refused(said, "PORT must be a whole number", "'abc'") and not started


@pytest.mark.parametrize("file", ["sources/digits.keras", "sources/fashion.json", "mnist.npz", "mnist.json"])
@pytest.mark.parametrize("fault", ["missing", "damaged"])
def test_a_shipped_file_that_is_missing_or_damaged_keeps_the_server_from_starting(
    do, started, monkeypatch, tmp_path, file, fault
):
    assets = shutil.copytree(datasets.ASSETS, tmp_path / "assets", copy_function=os.symlink)  # they are 25 MB
    monkeypatch.setattr("tlcore.datasets.mnist.ASSETS", assets)
    monkeypatch.setattr("tlcore.sources.shipped.FOLDER", assets / "sources")
    content = (assets / file).read_bytes()
    (assets / file).unlink()  # the link, not what ships
    if fault == "damaged":
        (assets / file).write_bytes(content[:-10])
    code, _, said = do("serve", "--port", free_port())
    assert code == 1 and refused(said, Path(file).name, "Install the app again.") and not started


# -- end to end


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A home with one fine-tuned run and one comparison of heads, each made by its command."""
    home = tmp_path_factory.mktemp("trained")
    train = command("train", *TINY, "--epochs", 1, "--name", "tiny", home=home)
    line = ("--heads", "linear_svm,knn", "--inputs", "features,pixels", "--seeds", "0,1", "--json")
    return home, train, by_command.command("heads", *TINY, *line, home=home)


@pytest.mark.keras
@pytest.mark.slow
def test_train_tells_how_it_goes_and_what_came_out(trained):
    home, done, _ = trained
    assert done.returncode == 0 and done.stderr == ""
    run = Store(home).list(kind="fine_tune")[0]
    assert run.state == "done" and run.name == "tiny" and run.spec.data.per_class == 5
    lines = done.stdout.splitlines()
    assert lines[0] == f"Run {run.id}: tiny" and any(line.startswith("epoch     1/1  train loss") for line in lines)
    test = run.result.test
    words = f"Test accuracy {percent(test.accuracy)} on 4,861 images never trained on; 95 % interval "
    assert words + percent(test.low) in done.stdout
    assert "2 frozen layers are bit for bit unchanged, those of 2 trained layers changed." in done.stdout
    model = Path(next(line for line in lines if line.startswith("Model: "))[7:])
    assert hashlib.sha256(model.read_bytes()).hexdigest() == run.result.files["model.keras"].sha256


@pytest.mark.keras
@pytest.mark.slow
def test_heads_gives_its_comparison_as_json_and_later_as_a_table(trained, do):
    home, _, done = trained
    assert done.returncode == 0, done.stderr
    fields = json.loads(done.stdout)
    assert fields["state"] == "done" and len(fields["result"]["rows"]) == 8
    assert "Linear SVM on features, seed 0" in done.stderr and "WARNING" not in done.stderr
    code, printed, _ = do("runs", "show", fields["id"], "--home", home)
    best = fields["result"]["table"][0]
    assert code == 0 and spread(best["mean"], best["sd"]) in printed
    assert re.search(r"^\* +\S.* (features|raw pixels) ", printed, re.MULTILINE)
    assert "Each head learned from 25 images" in printed and "over 2 seeds, each on 4,861 test images." in printed


@pytest.mark.keras
@pytest.mark.slow
def test_predict_answers_in_pure_json_and_goes_on_after_a_bad_file(home, digits, bad_files):
    done = by_command.command("predict", "--model", "digits", *bad_files, *digits, home=home)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == len(bad_files)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["file"] for line in lines] == [str(path) for path in digits]
    for line in lines:
        assert set(line) == {"file", "model", "label", "probability", "probabilities"} and line["model"] == "digits"
        assert list(line["probabilities"]) == list("0123456789") and sum(
            line["probabilities"].values()
        ) == pytest.approx(1, abs=1e-4)
        assert line["probability"] == max(line["probabilities"].values()) == line["probabilities"][line["label"]]
    wrong = [line["file"] for line, label in zip(lines, digits.values(), strict=True) if line["label"] != label]
    assert len(wrong) <= 1, wrong


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.parametrize("place", ["a data folder", "nothing"])
def test_on_a_machine_without_a_temporary_folder_predict_uses_the_data_folder_or_names_what_is_missing(
    tmp_path, digits, place
):
    (tmp_path / "file").write_text("")
    home = tmp_path / ("home" if place == "a data folder" else "file/home")  # below a file nothing can be made
    code = "import sys, tempfile; tempfile._candidate_tempdir_list = lambda: ['/no/such/place']\n"
    code += "from tlcore.cli import main; sys.exit(main(sys.argv[1:]))"
    line = [sys.executable, "-c", code, "predict", "--model", "digits", next(iter(digits))]
    environment = {**os.environ, "TRANSFER_LAB_HOME": str(home), "TMPDIR": "/no/such/place"}
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, env=environment)
    if place == "a data folder":
        assert done.returncode == 0 and json.loads(done.stdout)["label"] in "0123456789"
        assert list((home / "tmp").iterdir()) == []
    else:
        assert done.returncode == 2 and not done.stdout
        assert refused(
            done.stderr, "There is no folder for temporary files: neither /no/such/place nor the data folder"
        )


@pytest.mark.keras
@pytest.mark.slow
def test_runs_and_heads_answer_too(trained, do, digits):
    home, _, heads = trained
    fine_tuned, compared = Store(home).list(kind="fine_tune")[0].id, json.loads(heads.stdout)["id"]
    fives = [path for path, label in digits.items() if int(label) >= 5]
    for given, name, least in (
        (fine_tuned[:8], fine_tuned, 0.3),
        (f"{compared[:6]}/linear_svm-features", f"{compared}/linear_svm-features", 0.7),
        (f"{compared}/knn-pixels", f"{compared}/knn-pixels", 0.4),
    ):
        code, printed, said = do("predict", "--home", home, "--model", given, *fives)
        assert code == 0, said
        lines = [json.loads(line) for line in printed.splitlines()]
        assert {line["model"] for line in lines} == {name} and list(lines[0]["probabilities"]) == list("56789")
        right = [line["label"] == digits[path] for line, path in zip(lines, fives, strict=True)]
        assert np.mean(right) >= least, given


@pytest.mark.keras
@pytest.mark.slow
def test_a_sweep_prints_its_means_writes_its_experiments_and_goes_on(do, home, tmp_path):
    line = "sweep --target digits_8x8 --methods linear_svm,loo_1nn --per-class 2,5 --seeds 0,1 --n-test all"
    code, printed, _ = do(*line.split(), "--csv", tmp_path / "cells.csv")
    assert code == 0 and re.search(r"digits_0_4 +flatten +linear_svm +\d\d\.\d ± [\d.]+ %", printed)
    assert "8 of 8 experiments; 8 of them now" in printed
    assert len((tmp_path / "cells.csv").read_text().splitlines()) == 9
    code, printed, _ = do(*line.split(), "--resume", "last", "--json")
    assert code == 0 and len(json.loads(printed)) == 8
    assert Store(home).list()[0].result.n_before == 8


@pytest.mark.keras
@pytest.mark.slow
def test_a_damaged_model_is_one_sentence_and_no_answer(trained, do, digits, tmp_path):
    home, _, heads = trained
    run_id = json.loads(heads.stdout)["id"]
    copy = shutil.copytree(home, tmp_path / "copy")
    for name, model in (("heads/knn-pixels.skops", f"{run_id}/knn-pixels"),):
        path = copy / "runs" / run_id / name
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        code, printed, said = do("predict", "--home", copy, "--model", model, next(iter(digits)))
        assert code == 1 and not printed and refused(said, "damaged: it is not what the run saved")
    run = Store(copy).list(kind="fine_tune")[0]
    (copy / "runs" / run.id / "model.keras").write_bytes(b"PK\x03\x04 not a model")
    code, printed, said = do("predict", "--home", copy, "--model", run.id, next(iter(digits)))
    assert code == 1 and not printed and refused(said, f"The file model.keras of run {run.id} is damaged")


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.parametrize("name", taught.NAMES)
def test_the_networks_that_home_shows_answer_by_their_full_names(do, digits, name):
    dark = {path: label for path, label in digits.items() if "light-on-dark" in path.name}
    code, printed, _ = do("predict", "--model", name, *dark)
    answers = [json.loads(line) for line in printed.splitlines()]
    assert code == 0 and {answer["model"] for answer in answers} == {name}
    read = [answer["label"] == label for answer, label in zip(answers, dark.values(), strict=True)]
    assert sum(read) >= 5 and set(answers[0]["probabilities"]) == set("0123456789")


@pytest.mark.keras
@pytest.mark.slow
def test_a_missing_shipped_model_is_one_sentence(do, digits, monkeypatch, tmp_path):
    monkeypatch.setattr("tlcore.sources.shipped.FOLDER", shutil.copytree(sources.FOLDER, tmp_path / "sources"))
    (tmp_path / "sources" / "digits.keras").unlink()
    code, printed, said = do("predict", next(iter(digits)))
    assert code == 1 and not printed and refused(said, "The file digits.keras that ships with the app cannot be read")


@pytest.mark.keras
@pytest.mark.slow
def test_a_learning_rate_far_too_high_fails_with_its_reason(do, home):
    line = ("--epochs", 3, "--optimizer", "sgd", "--learning-rate", 10, "--preset", "nothing")
    code, printed, said = do("train", "--per-class", 20, *line)
    assert code == 1 and refused(said, "The learning rate is probably too high")
    assert ": failed" in printed and Store(home).list()[0].state == "failed"


@pytest.mark.keras
@pytest.mark.slow
def test_ctrl_c_keeps_what_was_learned_so_far(home):
    train = by_command.begin("train", "--per-class", 100, "--batch-size", 4, "--epochs", 100, home=home)
    wait_for(lambda: "\nepoch" in train.stdout, by_command.LONG_S)
    os.kill(train.process.pid, signal.SIGINT)
    assert train.wait().stderr == "Stopping; press Ctrl+C again to end at once.\n"
    (run,), said = Store(home).list(), train.stdout.splitlines()
    assert train.returncode == 130 and run.state == "stopped" and run.result.stopped
    assert said[-1].startswith(f"Run {run.id}: stopped") and (home / "runs" / run.id / "model.keras").is_file()


@pytest.mark.keras
@pytest.mark.slow
def test_a_mistake_is_made_beside_its_healthy_twin_and_its_promise_is_kept(do, home):
    code, printed, _ = do("break-it", "learning_rate", "--json")
    told = json.loads(printed.splitlines()[-1])
    assert code == 0 and told["mistake"] == "learning_rate" and told["kept"]
    twin, run = (Store(home).get(told[name]) for name in ("healthy", "broken"))
    assert break_it.verdict("learning_rate", run, twin).kept and twin.accuracy > 0.8


@pytest.fixture
def chinese(monkeypatch):
    """A person whose system speaks Chinese."""
    monkeypatch.setenv("TRANSFER_LAB_LANGUAGE", "zh_CN.UTF-8")
    translation.forget()
    yield
    monkeypatch.undo()
    translation.forget()


def parsers(parser):
    """Yield a parser and those of its subcommands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from parsers(inner)


def test_every_help_of_every_command_is_in_chinese(chinese):
    lines = [line for each in parsers(cli.parser()) for line in (each.description, *(a.help for a in each._actions))]
    english = [line for line in lines if line and line != argparse.SUPPRESS and not re.search("[\u4e00-\u9fff]", line)]
    assert len(lines) > 200 and english == []


def test_the_command_line_speaks_chinese_where_that_is_asked_for(tmp_path, capsys, chinese):
    assert cli.main(["--help"]) == 0 and cli.main(["train", "--help"]) == 0
    told = capsys.readouterr().out
    assert "用法" in told and "列出源模型" in told and "每一步的图像数；1 到 4,096" in told
    assert not re.search(r"usage:|options:|default \d|images per step", told)
    for line, said in (
        (["--home", str(tmp_path), "runs", "show", "nothing"], "没有运行 'nothing'"),
        (["train", "--epochs", "many"], "必须是整数"),
        (["train", "--recipe", "no"], "没有 训练方案 'no'"),
        (["train", "--no-such-flag"], "无法识别的参数：--no-such-flag"),
    ):
        assert cli.main(line) == 2
        assert said in capsys.readouterr().err
    assert cli.main(["--home", str(tmp_path), "sources", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["title"] == "Digits 0-4", "what programs read stays English"
