"""The one place that touches st.session_state and what all sessions share: the draft, and the lab."""

import logging
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from tlcore import datasets, inputs, jobs, people, prediction, sources
from tlcore.errors import LabError, SpecError
from tlcore.evidence import sweeps
from tlcore.evidence.sweeps import Conditions
from tlcore.features import feature_cut, first_vector, freezing
from tlcore.features.freezing import Freezing
from tlcore.inspection import lesson, rates
from tlcore.inspection.lesson import Lesson
from tlcore.lab import Lab, shared
from tlcore.people import Access, Person
from tlcore.prediction import PredictorInfo, own_heads
from tlcore.prediction.own_heads import OwnHead
from tlcore.recipes import article_recipe, break_it, comparison, thawing, two_phases
from tlcore.recipes.thawing import Thaw
from tlcore.sentences import Sentence
from tlcore.spec import (
    BALANCED,
    RANGES,
    Cell,
    ComparisonSpec,
    DataSpec,
    EvaluateSpec,
    FineTuneSpec,
    HeadSpec,
    LayerInfo,
    Phase,
    Result,
    SourceInfo,
    Spec,
    SweepSpec,
    from_json,
    to_json,
)
from tlcore.store import Run
from tlcore.training import augmentation
from tlcore.training.finder import RateTest

from . import address

log = logging.getLogger(__name__)
# Else each cache below says at import, before the log has its form, that no server runs yet.
logging.getLogger("streamlit.runtime.caching.cache_data_api").setLevel(logging.ERROR)

_script = threading.local()  # each script has a thread of its own, whose reruns are of one session

RECENT = 60  # finished runs that a forecast looks at
MOST_RUNS = 1000  # whose models can be asked

# What a person has chosen so far, by widget key. Widgets keep these keys through page changes.
DEFAULTS: dict[str, Any] = {
    "source": "digits_0_4",
    "frozen": ("conv_1", "conv_2"),
    "target": "mnist_5_9",
    "split": "standard",
    "per_class": int(RANGES["per_class"][2]),
    "all_images": False,
    "label_noise": DataSpec.label_noise,
    "imbalance": DataSpec.imbalance,
    "epochs": int(RANGES["epochs"][2]),
    "batch_size": int(RANGES["batch_size"][2]),
    "optimizer": "adam",
    "learning_rate": float(RANGES["learning_rate"][2]),
    "schedule": Phase.schedule,
    "rate_factor": Phase.rate_factor,
    "patience": FineTuneSpec.patience,
    "augment": FineTuneSpec.augment,
    "class_weight": False,
    "thaw_every": int(RANGES["thaw_every"][2]),
    "thaws": ((0, "dense_1"), (10, "conv_2"), (20, "")),  # after how many epochs the layers up to which one are frozen
    "seed": int(RANGES["seed"][2]),
    "recipe": "default",
    "film": False,
    "use_own": False,
    "layer": "flatten",
    "heads": ("linear_svm",),
    "inputs": ("features", "pixels"),
    "n_seeds": 3,
    "tune": False,
    "by_hand": (),
    "ways": ComparisonSpec().ways,
    "more_ways": (),
    "way": "draw",  # of giving an image to the models on Try
    "handful": 0,  # of samples
    "door": "draw",  # of Home
    "chart_x": "",
    "chart_log": False,
    "chart_smooth": 0.0,
    "chart_hidden": (),
    "what_if_cut": "flatten",
    "race_lanes": ("nothing", "convolutions", "scratch"),
    "saving_at": 5,
    "sweep_sources": ("digits_0_4",),
    "sweep_cuts": ("flatten",),
    "sweep_methods": ("linear_svm", "scratch"),
    "sweep_labels": (1, 5, 20, 100),
    "sweep_seeds": 3,
    "sweep_budget": 120,
}


# What suits a kind of input better than the table above; taken when a source or a target of that kind is chosen.
SUITED: dict[str, dict[str, Any]] = {"photo": {"per_class": 20, "recipe": "two_phase", "learning_rate": 2e-3}}


def lab() -> Lab:
    """Return the shared lab of the data folder, started on first use.

    Raises
    ------
    StoreError, SpecError
        The data folder, or a setting of the environment, cannot be used.
    """
    return shared(_is_open)


def person() -> Person:
    """Return who looks at this page: the account that is logged in, else who the browser's signed cookie names.

    A session whose browser sent no cookie, or one that nobody signed here, is a person of its own. Try asks for it
    ten times, and Streamlit looks for its file of secrets at each look at an account: a script looks once.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return _person()
    session, found = getattr(_script, "person", ("", None))
    if found is None or session != context.session_id:
        found = _person()
        _script.person = context.session_id, found
        lab().presence.note(context.session_id, found.id)
    return found


def _person() -> Person:
    keys, cookies = lab().keys, st.context.cookies
    host = keys.is_host(cookies.get(keys.host_name))
    known = account() or keys.person(cookies.get(keys.person_name))
    return Person(known or st.session_state.setdefault("passing", people.new_person()), host, passing=known is None)


def _is_open(session: str) -> bool:
    return runtime.exists() and runtime.get_instance().is_active_session(session)


def account() -> str | None:
    """Return the id of the account that is logged in; None when nobody is, or the lab has no accounts."""
    if not st.user.get("is_logged_in"):
        return None
    return people.of_account(str(st.user.get("iss")), str(st.user.get("sub")))


def has_accounts() -> bool:
    """Return whether the lab has accounts: an ``[auth]`` section in Streamlit's secrets."""
    return "is_logged_in" in st.user


def account_name() -> str:
    """Return how the account that is logged in calls itself."""
    return str(st.user.get("name") or st.user.get("email") or st.user.get("sub"))


def access() -> Access:
    """Return what this person may do with the runs of the lab."""
    shared = lab()
    return Access(shared.store, person(), shared.limits, shared.engine.stop)


def get(key: str, default: Any = None) -> Any:
    """Return a choice; when nothing was chosen its default of the table above, else ``default``."""
    value = st.session_state.get(key)
    return DEFAULTS.get(key, default) if value is None else value


def take(key: str) -> Any:
    """Return what a callback left under ``key`` for the next run of the page, and forget it; None when nothing."""
    return st.session_state.pop(key, None)


def put(**choices: Any) -> None:
    """Set choices, before their widgets or in a callback; widgets of these keys show them at their next run."""
    for key, value in choices.items():
        st.session_state[key] = value


def begin(key: str, value: Any) -> None:
    """Let a widget begin with a value, which may be None; later it keeps what a person chose."""
    st.session_state.setdefault(key, value)


def keyed(key: str) -> dict[str, Any]:
    """Return the keywords that tie a widget to a choice and keep it through page changes."""
    if st.session_state.get(key) is None:
        st.session_state[key] = DEFAULTS[key]
    return {"key": key, "persist_state": "session"}


def keep(*keys: str) -> None:
    """Write choices back before their widgets, which two pages have: the second would begin with its own default."""
    put(**{key: get(key) for key in keys})


def follow(key: str, default: Any, options: Collection[Any]) -> Any:
    """Return a choice, which its widget then shows: ``default``, as it changes, until a person chooses something else.

    Parameters
    ----------
    default : one of ``options``, or a list of some
    options : what can still be chosen; of an older choice the rest is left out
    """
    kept, before = st.session_state.get(key), st.session_state.get(f"{key}_default")
    if kept is None or kept == before:
        kept = default
    elif isinstance(default, list):
        kept = [option for option in kept if option in options]
    elif kept not in options:
        kept = default
    st.session_state[key] = kept
    st.session_state[f"{key}_default"] = default
    return kept


def sources_on_offer() -> tuple[SourceInfo, ...]:
    """Return the source models that this person may choose: shipped, their own, and what the command line added."""
    somebody = person()
    found = [card for card in sources.uploaded() if somebody.host or card.owner in ("", somebody.id)]
    return (*sources.offered(), *found)


def owners() -> str | None:
    """Return whose sets this person sees: their own and nobody's; None for the host, who sees all."""
    somebody = person()
    return None if somebody.host else somebody.id


def targets_on_offer() -> tuple[datasets.DatasetInfo, ...]:
    """Return the target tasks that this person may choose, one's own sets last."""
    return datasets.offered(owners())


def own_heads_on_offer() -> tuple[OwnHead, ...]:
    """Return the uploaded heads that this person may ask: their own, and what the command line added."""
    somebody = person()
    return own_heads.cards(None if somebody.host else ("", somebody.id))


def may_remove(source: SourceInfo | OwnHead) -> bool:
    """Return whether an uploaded model is this person's to take off the list."""
    somebody = person()
    return somebody.host or source.owner == somebody.id


def use_source(name: str) -> None:
    """Choose a source model, before its widget or in a callback; a target that it does not read gives way."""
    before = _modality()
    st.session_state["source"] = name
    fit_to_source()
    if (now := _modality()) != before:
        _suit(before, now)


def use_target() -> None:
    """Let a source that does not read the target give way to one that does; a callback of the target's widget."""
    usual = sources.info(DEFAULTS["source"])
    name = sources.source_for(get("target"), sources.info(get("source")), (usual, *sources_on_offer()))
    if name != get("source"):
        use_source(name)


def _modality() -> str:
    with suppress(LabError):  # it was removed for good
        return sources.info(get("source")).form.modality
    return ""


def _suit(before: str, now: str) -> None:
    """Take the settings that suit another kind of input, in place of those that were nobody's choice."""
    for key in _suited_keys():
        usual, suited = (SUITED.get(name, {}).get(key, DEFAULTS[key]) for name in (before, now))
        if get(key) == usual:
            put(**{key: suited})


def _suited_keys() -> set[str]:
    return {key for settings in SUITED.values() for key in settings}


def settle() -> None:
    """Take the draft of the address that this browser came with, and a model that was just added as the source.

    Before anything is shown, which then shows it; the address follows what is chosen from then on.
    """
    if not get("address_read"):
        put(address_read=True)
        _read_address()
    if name := take("added_source"):
        use_source(name)
    if datasets.own_sets.is_own(get("target")) and get("target") not in {card.name for card in targets_on_offer()}:
        put(target=DEFAULTS["target"])  # it was removed, perhaps in another window
        use_target()
    others = {name: value for name, value in st.query_params.items() if name not in address.names()}
    if (wanted := {**draft_parameters(), **others}) != st.query_params.to_dict():
        st.query_params.from_dict(wanted)


def _read_address() -> None:
    parameters = st.query_params.to_dict()
    networks: list[str] = []
    tasks = [card.name for card in datasets.catalogue()]
    with suppress(LabError):  # the page says it where it needs the lab
        if "source" in parameters:
            networks = [card.name for card in sources_on_offer()]
        if "target" in parameters:
            tasks = [card.name for card in targets_on_offer()]
    choices, wrong = address.read(parameters, {**DEFAULTS, "sources": networks, "targets": tasks})
    put(**choices, address_wrong=tuple(wrong))
    put(address_at_first={name: text for name, text in parameters.items() if name in address.names() - set(wrong)})
    if "source" in choices:
        fit_to_source()
        _suit(sources.info(DEFAULTS["source"]).form.modality, _modality())
    elif "target" in choices:
        use_target()
    put(**{key: choices[key] for key in _suited_keys() & set(choices)})  # what the address says is a choice


def draft_parameters() -> dict[str, str]:
    """Return the draft as parameters of an address: what differs from the defaults, of its kind of input."""
    return address.written({key: get(key) for key in DEFAULTS}, {**DEFAULTS, **SUITED.get(_modality(), {})})


def fit_to_source() -> None:
    """Let the choices name layers that the chosen source has, and a target that it reads.

    What it does not have gives way to a preset.
    """
    card = sources.info(get("source"))
    fits = datasets.info(get("target")).form == card.form
    put(
        target=sources.target_for(card, get("target") if fits else DEFAULTS["target"]),
        frozen=freezing.fitting(card.layers, get("frozen")),
        picker_rev=get("picker_rev", 0) + 1,
        layer=feature_cut(card.layers, get("layer")),
        what_if_cut=get("what_if_cut") if get("what_if_cut") in ("", *card.cut_names) else first_vector(card.layers),
    )


def frozen() -> Freezing:
    """Return what is chosen to be frozen of the network that will train: the chosen source with the target's new head.

    Names that it does not have are left out.
    """
    card = sources.info(get("source"))
    layers = card.layers_for(len(datasets.info(get("target")).class_names))
    return Freezing(layers, [name for name in get("frozen") if name in card.layer_names], card.name)


def data_draft() -> DataSpec:
    per_class = None if get("all_images") else int(get("per_class"))
    own = datasets.drawings.set_of(person().id, usable()) if get("use_own") and usable() else ""
    return DataSpec(
        target=get("target"),
        split=get("split"),
        per_class=per_class,
        seed=int(get("seed")),
        own=own,
        label_noise=float(get("label_noise")),
        imbalance=float(get("imbalance")),
    )


def usable() -> tuple[str, ...]:
    """Return the classes of the target whose drawings of this person's own the next training may use."""
    target = datasets.info(get("target"))
    return target.class_names if datasets.drawings.fits(target.form) else ()


def own_drawings() -> tuple[datasets.drawings.Drawing, ...]:
    """Return what this person has kept with a label, of every class."""
    return datasets.drawings.drawings(person().id)


def draft() -> FineTuneSpec:
    """Return the fine-tuning that Start would run."""
    if get("recipe") == "article":
        return article_recipe(seed=int(get("seed")))
    choice = frozen()
    phase = Phase(
        epochs=int(get("epochs")),
        frozen=choice.names,
        learning_rate=float(get("learning_rate")),
        schedule=get("schedule"),
        rate_factor=float(get("rate_factor")),
    )
    spec = FineTuneSpec(
        source=get("source"),
        data=data_draft(),
        phases=(phase,),
        batch_size=int(get("batch_size")),
        optimizer=get("optimizer"),
        seed=int(get("seed")),
        film=bool(get("film")),
        patience=int(get("patience")),
        augment=bool(get("augment") and augments()),
        class_weight=class_weight(),
    )
    if get("recipe") == "two_phase":
        return two_phases(spec, freezing.presets(choice.layers)["all_but_head"])
    if thaws := thaws_of(choice.layers):
        return thawing.scheduled(spec, choice.layers, thaws)
    return spec


def class_weight() -> str | None:
    """Return how much the classes count in the draft, as a spec has it."""
    return BALANCED if get("class_weight") else None


def augments() -> Sentence:
    """Return what augmentation changes in the items of the chosen source; NOTHING where that kind has none."""
    return inputs.modality(sources.info(get("source")).form.modality).augments


def thaws_of(layers: Sequence[LayerInfo]) -> tuple[Thaw, ...]:
    """Return the schedule of thawing that is chosen; none where the recipe has none.

    Steps that would begin after the last epoch are left out; a layer that this network does not have freezes nothing.
    """
    epochs, names = int(get("epochs")), {layer.name for layer in layers}
    if get("recipe") == "gradual":
        return thawing.gradual(layers, epochs, int(get("thaw_every")))
    if get("recipe") != "own":
        return ()
    steps = {after: cut if cut in names else "" for after, cut in get("thaws") if after < epochs}
    return tuple(Thaw(after, steps[after]) for after in sorted(steps))


def head_draft() -> HeadSpec:
    """Return the feature extraction that Start would run."""
    seed = int(get("seed"))
    return HeadSpec(
        source=get("source"),
        layer=get("layer"),
        heads=tuple(get("heads")),
        data=data_draft(),
        seeds=(seed,),
        class_weight=class_weight(),
    )


def comparison_draft() -> ComparisonSpec:
    """Return the comparison that Start would run: the fine-tuning of the draft, its layer, the chosen ways."""
    chosen = (*get("ways"), *get("more_ways"))
    return ComparisonSpec(draft(), get("layer"), tuple(way for way in comparison.ways() if way in chosen))


def start(spec: Spec, name: str = "", repeats: str = "") -> Run:
    """Make a run of ``spec`` and hand it to the engine; ``repeats`` names the run that it trains again.

    Raises
    ------
    SpecError
        The spec cannot run.
    RightsError
        Too many wait already.
    """
    jobs.check(spec)
    return _submitted(access().create(spec, name=name, repeats=repeats))


def go_on(run: Run) -> Run:
    """Make a run that goes on where a stopped one ended, and hand it to the engine; raises what ``start`` does."""
    return _submitted(access().go_on(run.id))


def _submitted(run: Run) -> Run:
    log.info("run %s is queued: %s", run.id, run.kind, extra={"person": person().short})
    lab().engine.submit(run.id)
    st.session_state["reveal"] = run.id
    st.session_state["started"] = (*st.session_state.get("started", ()), run.id)[-10:]
    return run


def watch(slot: str, run_id: str | None) -> None:
    """Remember which run a page shows; the address keeps it, so that a reload or another browser shows it too."""
    st.session_state[f"run_{slot}"] = run_id
    if run_id:
        st.query_params[slot] = run_id
    elif slot in st.query_params:
        del st.query_params[slot]


def link(run: Run | None = None, slot: str = "") -> str:
    """Return the address of this page with the draft, and a run on it where one is given."""
    parts = draft_parameters() | ({slot: run.id} if run else {})
    return here(parts)


def here(parameters: Mapping[str, str]) -> str:
    """Return the address of this page with parameters."""
    return urlunsplit(urlsplit(st.context.url or "")._replace(query=urlencode(parameters), fragment=""))


def watched(slot: str, kind: str = "") -> Run | None:
    """Return the run this page shows: the session's, else the address's; None when there is none.

    Parameters
    ----------
    kind : of the runs that this slot can show, where it cannot show all
    """
    run_id = st.session_state.get(f"run_{slot}") or st.query_params.get(slot)
    if not run_id:
        return None
    try:
        run = lab().store.get(run_id)
    except SpecError:
        watch(slot, None)
        raise
    if run.deleted or kind not in ("", run.kind):
        watch(slot, None)
        return None
    watch(slot, run.id)  # moving between pages drops the address's part
    if not person().owns(run) and run.id not in get("linked", ()):
        put(linked=(*get("linked", ()), run.id)[-20:])
    return run


def models(limit: int = MOST_RUNS) -> tuple[PredictorInfo, ...]:
    """Return what can answer a drawing: what ships, the newest of this person's runs, and linked ones."""
    runs = list(access().runs(states=("done", "stopped"), limit=limit)) if limit else []
    for run_id in get("linked", ()):
        with suppress(SpecError):  # removed for good meanwhile
            runs.append(lab().store.get(run_id))
    found = {run.id: run for run in runs if not run.deleted}
    networks = prediction.available((), sources_on_offer())
    own = prediction.of_own(own_heads_on_offer())
    return (*networks, *prediction.of_home(), *own, *prediction.available(found.values(), ()))


def reads_whole(model: str) -> bool:
    """Return whether a model takes a picture file as it is, and not as ink on a ground."""
    return prediction.reads_whole(model, lab().store.get)


def my_cells() -> dict[Conditions, tuple[Cell, ...]]:
    """Return the experiments of this person's sweeps by what they were measured under."""
    runs = [run for run in access().runs(kind=SweepSpec.kind, limit=50) if isinstance(run.spec, SweepSpec)]
    return sweeps.by_conditions((run.spec, lab().store.cells(run.id)) for run in runs)  # type: ignore[misc]


def last_result() -> Result | None:
    """Return the result of the training that this session started and that finished last, no mistake on purpose."""
    runs = []
    for run_id in st.session_state.get("started", ()):
        with suppress(SpecError):  # removed for good meanwhile
            runs.append(lab().store.get(run_id))
    tested = [run for run in runs if run.finished and run.accuracy is not None and run.kind != EvaluateSpec.kind]
    finished = [run for run in tested if not break_it.is_broken(run.spec)]
    return max(finished, key=lambda run: run.finished or 0.0).result if finished else None


def takes_s(spec: Spec) -> float | None:
    """Return about how many seconds a run of ``spec`` goes on here; None where no run like it was ever finished."""
    with suppress(LabError):  # it cannot run, or the store cannot be read: the page says that where it matters
        return _takes_s(to_json(spec), str(lab().folder))
    return None


@st.cache_data(ttl=5.0, max_entries=200, show_spinner=False)
def _takes_s(spec_json: str, folder: str) -> float | None:
    spec = from_json(spec_json)
    return jobs.of(spec).takes_s(spec, lab().store.list(states=("done",), limit=RECENT))


@st.cache_data(max_entries=50, show_spinner=False)
def lesson_of(run_id: str) -> Lesson:
    """Return the numbers of a finished run's first step; it never changes.

    Raises
    ------
    LabError
        The run, its model or its data cannot be read, or the process that computes is not to be had.
    """
    shared = lab()
    return shared.what_if.ask(lesson.of_run, run_id, str(shared.folder))


@st.cache_data(max_entries=50, show_spinner=False)
def rate_test(spec: FineTuneSpec) -> RateTest:
    """Return the loss of a draft at rising learning rates; the same draft always has the same.

    Raises
    ------
    LabError
        The draft cannot run, or the process that computes is not to be had.
    """
    return lab().what_if.ask(rates.range_test, spec)


@st.cache_data(max_entries=20, show_spinner=False)
def augmented(target: str, n: int, seed: int) -> Any:
    """Return a training image of a data set and ``n`` augmented copies; none where it does not ship."""
    return augmentation.examples(target, n, seed)


@st.cache_data(max_entries=20, show_spinner=False)
def samples(target: str, n: int, handful: int = 0) -> tuple[Any, Any]:
    """Return ``n`` test images of a data set with their labels, of each handful the same ones every time."""
    return datasets.samples(target, n, seed=handful)
