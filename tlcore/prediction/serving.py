"""One warm process that answers every prediction, and the client the server asks through."""

import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from logging import getLogger
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tlcore import extensions
from tlcore.errors import DataError, LabError
from tlcore.machine import ChildProcess, LeanContext, begin_child, import_keras, nursery, scratch, uncollected
from tlcore.spec import InputForm

from .names import ModelName

log = getLogger(__name__)
nursery.also(__name__)

MOST_WAITING = 200  # requests
MOST_AT_ONCE = 64  # items of one batch
MOST_NUMBERS = 1_000_000  # of one item: a photograph of 577 × 577 pixels
MOST_NAMES = 100  # models of one request
MOST_LOADED = 50  # models kept in the process, the longest unused out first, and as many that tell what is outside
STUCK_S = 30.0  # a loaded model answers within milliseconds
WARM_UP_S = 300.0  # TensorFlow on a cold disk
SLOWEST_RESTART_S = 30.0

OUTSIDE = str(ModelName.outside(""))  # how the names begin of what tells whether an item is outside

BUSY = "Too many drawings are waiting just now. Try again in a moment."
MANY = f"At most {MOST_NAMES} models can be asked at once. Pick fewer."
LOADING = "The models are still loading. Try again in a moment."
LATE = "The model did not answer in time. Try again in a moment."
DIED = "The prediction process died on this, twice. The other models go on; the log says more."
CLOSED = "The server is shutting down. Reload the page in a moment."
BROKEN = "This model could not answer. The log says more."

Answer = list[float] | str


class Predictor(Protocol):
    """What a loader returns; ``prediction.Predictor`` is one.

    One with ``once`` true is loaded for each question: it answers beside the others and takes nobody's place.
    """

    @property
    def form(self) -> InputForm: ...

    @property
    def predict_proba(self) -> Callable[[np.ndarray], np.ndarray]: ...


Load = Callable[[str, Path], Predictor]


@dataclass(eq=False)
class _Request:
    """One item, and the names that have not answered yet. Only the serving thread changes it."""

    item: np.ndarray
    missing: dict[str, None]  # in the order in which they are loaded
    answers: dict[str, Answer] = field(default_factory=dict)
    first: frozenset[str] = frozenset()
    tries: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    first_over: threading.Event = field(default_factory=threading.Event)

    def answer(self, name: str, answer: Answer) -> None:
        if name in self.missing:
            self.answers[name] = answer
            del self.missing[name]

    def tell(self) -> None:
        """Wake who waits, once everything that has come at the same time is in."""
        if not self.missing:
            self.end()
        elif self.first and self.first.isdisjoint(self.missing):
            self.first_over.set()

    def end(self) -> None:
        """Let nobody wait for this any longer."""
        self.over.set()
        self.first_over.set()

    def wait(self, seconds: float) -> bool:
        """Wait for all answers, or for those that come first if they are still missing; return whether it is over."""
        is_early = self.first and not self.first_over.is_set()
        (self.first_over if is_early else self.over).wait(seconds)
        return self.over.is_set()


class Serving:
    """The client of the inference process; any number of threads may ask at once.

    Requests that wait while the process works are sent to it together: one call per model over all their items.
    A process that dies is started again and what it had not answered is asked once more.

    Parameters
    ----------
    folder : the data folder of the store
    load : ``load(name, folder)`` in the process: gives a predictor, or raises a LabError
    shipped : names that are loaded before the process says it is ready
    soon : names that are loaded right after that, before anybody asks; with another ``load`` none by default
    """

    def __init__(
        self,
        folder: Path,
        *,
        load: Load | None = None,
        shipped: Callable[[], Iterable[str]] | None = None,
        soon: Callable[[], Iterable[str]] | None = None,
    ):
        self.on_answer: Callable[[float], object] = lambda _: None  # told the seconds that each request took
        soon = soon or (tuple if load else _soon)
        self._arguments = (Path(folder), load or _load, shipped or _shipped, soon)
        self._context = LeanContext(None if load else scratch.own_folder(folder))
        self._process: ChildProcess | None = None
        self._connection: Connection | None = None
        self._ready, self._closing = threading.Event(), threading.Event()
        self._lock = threading.Lock()  # over the next two
        self._waiting: deque[_Request] = deque()
        self._woken = False
        self._bell, self._ring = self._context.Pipe(duplex=False)
        self._flying: dict[int, list[tuple[_Request, tuple[str, ...]]]] = {}
        self._n_batches = 0
        self._busy_since: float | None = None  # the process has a batch whose loaded models have not answered
        self._deaths, self._not_before, self._started = 0, 0.0, 0.0
        # The process dies with this thread (see processes.die_with_parent), so it is started there.
        self._thread = threading.Thread(target=self._run, name="serving", daemon=True)

    def start(self) -> None:
        """Begin to warm up; returns at once."""
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether the shipped models are loaded and the process lives."""
        return self._ready.is_set()

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until ``ready``, at most that long; return whether it is."""
        return self._ready.wait(timeout_s)

    def predict(self, item: np.ndarray, names: Sequence[str], timeout_s: float = 10.0) -> dict[str, Answer]:
        """Return what each model says of one item.

        Parameters
        ----------
        item : as the models read it: an array of their form
        names : predictors as in ``prediction.predictor``

        Returns
        -------
        dict of name to probabilities, in the order of the model's class names; or to one sentence where that model
        cannot answer, which keeps no other from it

        Raises
        ------
        DataError
            It is not an array of numbers.
        """
        *_so_far, answers = self.follow(item, names, timeout_s, timeout_s)
        return answers

    def follow(
        self, item: np.ndarray, names: Sequence[str], timeout_s: float, every_s: float, first: Iterable[str] = ()
    ) -> Iterator[dict[str, Answer]]:
        """Yield what ``predict`` returns, at once when all have answered; until then every so often what is there.

        A model that has not answered stands there with ``LATE`` or ``LOADING``.

        Parameters
        ----------
        first : those of ``names`` after whose answers it yields at once, whatever the others do
        """
        request = _Request(_checked(item), dict.fromkeys(names), first=frozenset(first))
        if refusal := self._refusal(request):
            yield dict.fromkeys(names, refusal)
            return
        asked = time.monotonic()
        self._wake()
        try:
            while not request.wait(min(every_s, timeout_s)) and time.monotonic() - asked < timeout_s:
                yield self._answers(request, names)
        finally:  # also when nobody wants to know the rest any more
            with self._lock:
                if request in self._waiting:
                    self._waiting.remove(request)
            self.on_answer(time.monotonic() - asked)
        yield self._answers(request, names)

    def prepare(self, item: np.ndarray, names: Iterable[str]) -> None:
        """Have models loaded that will soon be asked about items like this one; returns at once."""
        self._refusal(_Request(_checked(item), dict.fromkeys(names)))
        self._wake()

    def _refusal(self, request: _Request) -> str:
        """Put a request into the queue; return why it is refused instead."""
        if self._closing.is_set() or not request.missing:
            return CLOSED
        if len(request.missing) > MOST_NAMES:
            return MANY
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                return BUSY
            self._waiting.append(request)
        return ""

    def _answers(self, request: _Request, names: Sequence[str]) -> dict[str, Answer]:
        late = CLOSED if self._closing.is_set() else LATE if self.ready else LOADING
        return {name: request.answers.get(name, late) for name in names}

    def close(self) -> None:
        """End the process; who still waits gets a sentence."""
        self._closing.set()
        if self._thread.is_alive():
            self._wake()
            self._thread.join()
            scratch.sweep(self._arguments[0] / scratch.FOLDER)

    def _wake(self) -> None:
        with self._lock:
            if not self._woken:
                self._woken = True
                self._ring.send_bytes(b"!")

    # -- the serving thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._turn()
            except (EOFError, OSError):
                self._bury()
            except Exception:  # whoever waits is answered late; the next one must not be
                log.exception("the serving thread will go on with a new process")
                self._bury()
        self._context.kill()
        if self._process is not None and self._process.pid is not None:  # it could be started
            self._process.join()
        for request in self._unanswered():
            request.end()

    def _turn(self) -> None:
        now = time.monotonic()
        if self._connection is None and now >= self._not_before:
            self._open()
        alive = [] if self._connection is None else [self._connection]
        found = wait([self._bell, *alive], timeout=1.0)
        if self._bell in found:
            with self._lock:
                self._bell.recv_bytes()
                self._woken = False
        if self._connection in found:
            self._receive()
        limit = STUCK_S if self._ready.is_set() else WARM_UP_S
        since = self._busy_since if self._ready.is_set() else self._started
        if self._connection is not None and since is not None and time.monotonic() - since > limit:
            log.error("the prediction process hangs and is killed")
            self._context.kill()
        if self._ready.is_set() and self._busy_since is None:
            self._send()

    def _open(self) -> None:
        self._connection, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(theirs, *self._arguments), daemon=True)
        self._started = time.monotonic()
        self._process.start()
        theirs.close()  # so that the end of the process is the end of the pipe

    def _send(self) -> None:
        """Ask for everything that waits, as one batch; what killed a process before is asked on its own."""
        with self._lock:
            batch = [self._waiting.popleft()] if self._waiting else []
            while not (batch and batch[0].tries) and self._waiting and len(batch) < MOST_AT_ONCE:
                if self._waiting[0].tries or not _alike(self._waiting[0].item, batch[0].item):
                    break
                batch.append(self._waiting.popleft())
        if not batch:
            return
        self._n_batches += 1
        self._flying[self._n_batches] = [(request, tuple(request.missing)) for request in batch]
        wanted: dict[str, list[int]] = {}
        for row, request in enumerate(batch):
            for name in request.missing:
                wanted.setdefault(name, []).append(row)
        self._busy_since = time.monotonic()
        assert self._connection is not None
        self._connection.send((self._n_batches, np.stack([request.item for request in batch]), wanted))

    def _receive(self) -> None:
        assert self._connection is not None
        number, answers, over = self._connection.recv()
        if number is None:  # what the process says first
            self._deaths = 0
            self._ready.set()
            return
        if number == self._n_batches:
            self._busy_since = None
        batch = self._flying.pop(number) if over else self._flying[number]
        for name, answer in answers.items():
            rows = iter([answer] * len(batch) if isinstance(answer, str) else answer.tolist())
            for request, names in batch:
                if name in names:
                    request.answer(name, next(rows))
        for request, _ in batch:
            request.tell()

    def _bury(self) -> None:
        """Put what a dead process left unanswered back in front of the queue, once; let a new one be started."""
        self._context.kill()
        if self._process is not None and self._process.pid is not None:  # it could be started
            self._process.join()
            log.warning("the prediction process ended with exit code %s", self._process.exitcode)
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = self._busy_since = None
        self._ready.clear()
        self._not_before = time.monotonic() + (min(2.0**self._deaths, SLOWEST_RESTART_S) if self._deaths else 0.0)
        self._deaths += 1
        flown = [request for batch in self._flying.values() for request, _ in batch if request.missing]
        self._flying.clear()
        for request in dict.fromkeys(flown):
            request.tries += 1
            for name in tuple(request.missing) if request.tries > 1 else ():
                request.answer(name, DIED)
            request.tell()
        with self._lock:
            self._waiting.extendleft(reversed([request for request in dict.fromkeys(flown) if request.missing]))

    def _unanswered(self) -> list[_Request]:
        with self._lock:
            return [*self._waiting, *(request for batch in self._flying.values() for request, _ in batch)]


def _checked(item: np.ndarray) -> np.ndarray:
    """Each model says for itself whether the item has its form."""
    numbers = isinstance(item, np.ndarray) and item.dtype.kind in "uif" and 0 < item.size <= MOST_NUMBERS
    if not numbers or not np.isfinite(item).all():
        raise DataError(
            "A prediction needs one item, an array of at most {most:,} numbers. Received: {what}.",
            most=MOST_NUMBERS,
            what=f"shape {item.shape}, {item.dtype}" if isinstance(item, np.ndarray) else type(item).__name__,
        )
    return item


def _check_form(items: np.ndarray, form: InputForm) -> None:
    if items.shape[1:] != form.shape or items.dtype != form.dtype:
        raise DataError(
            "This model reads {form} numbers ({dtype}), but this is {shape} ({got}).",
            form=form,
            dtype=form.dtype,
            shape=replace(form, shape=items.shape[1:]),
            got=items.dtype,
        )


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype


# -- the process -----------------------------------------------------------------------------------------------------


def _load(name: str, folder: Path) -> Predictor:
    from .outside import detector
    from .predictors import predictor

    import_keras()
    asked = ModelName.parse(name)
    return detector(asked.id, folder) if asked.kind == "outside" else predictor(name, folder)


def _shipped() -> Iterable[str]:
    from tlcore.sources import catalogue

    return tuple(str(ModelName.source(card.name)) for card in catalogue() if card.answers)


def _soon() -> Iterable[str]:
    from .taught import NAMES

    first_seen = (str(ModelName.source("digits_0_4")), NAMES[0])  # what a newcomer's first drawing on Try asks
    teach = str(ModelName.features("photo"))  # a network that takes seconds to load, and which Teach needs at once
    return (*NAMES, *(str(ModelName.outside(name)) for name in first_seen), teach)


class _Models:
    """The loaded predictors, the longest unused let go; shared by the two threads of the process."""

    def __init__(self, folder: Path, load: Load):
        self._folder, self._load = folder, load
        # What tells whether an item is outside takes no place of a model: it is asked as often, most share a network.
        self._loaded: tuple[OrderedDict[str, Predictor], OrderedDict[str, Predictor]] = OrderedDict(), OrderedDict()
        self._lock = threading.Lock()

    def has(self, name: str) -> bool:
        with self._lock:
            return name in self._shelf(name)

    def _shelf(self, name: str) -> OrderedDict[str, Predictor]:
        return self._loaded[name.startswith(OUTSIDE)]

    def answer(self, name: str, items: np.ndarray | None = None) -> np.ndarray | str:
        """Return what a model says, shape (n, n_classes), or the sentence that says why it cannot.

        Without ``items`` it is asked for an item of zeros: the first call traces and compiles.
        """
        try:
            model = self._get(name)
            if items is None:
                items = np.zeros((1, *model.form.shape), model.form.dtype)
            _check_form(items, model.form)
            found = np.asarray(model.predict_proba(items))
            if found.ndim != 2 or len(found) != len(items):
                raise ValueError(f"{len(items)} items were answered with shape {found.shape}")
            return found
        except LabError as error:
            return str(error)
        except Exception:
            log.exception("model %s could not answer", name)
            return BROKEN

    def _get(self, name: str) -> Predictor:
        with self._lock:
            found = self._shelf(name).get(name)
        found = found or self._load(name, self._folder)  # not under the lock: it takes long
        if getattr(found, "once", False):
            return found
        with self._lock:
            shelf = self._shelf(name)
            shelf[name] = found
            shelf.move_to_end(name)
            while len(shelf) > MOST_LOADED:
                shelf.popitem(last=False)
        return found


def _chosen(items: np.ndarray, wanted: dict[str, list[int]]) -> dict[str, np.ndarray]:
    """Return what each model is asked about: one and the same array for all that are asked about the same items."""
    kept: dict[tuple[int, ...], np.ndarray] = {}
    return {name: kept.setdefault(key, items[rows]) for name, rows in wanted.items() for key in (tuple(rows),)}


def _serve(
    connection: Connection,
    folder: Path,
    load: Load,
    shipped: Callable[[], Iterable[str]],
    soon: Callable[[], Iterable[str]],
) -> None:
    """Answer batches until the pipe ends: loaded models at once, the others from a second thread, when loaded."""
    begin_child()
    scratch.enter(folder)
    # Before TensorFlow makes its devices: one image is too small for threads to share it.
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")
    extensions.load()
    models, sending = _Models(folder, load), threading.Lock()

    def send(*message: Any) -> None:
        with sending:
            connection.send(message)

    def answer_later(number: int, cold: dict[str, np.ndarray]) -> None:
        for left, (name, items) in enumerate(cold.items(), 1 - len(cold)):
            send(number, {name: models.answer(name, items)}, left == 0)

    with uncollected():
        for name in shipped():
            first = models.answer(name)
            if isinstance(first, str):
                log.warning("shipped model %s: %s", name, first)
    send(None, {}, True)
    with ThreadPoolExecutor(max_workers=1) as loader:
        for name in soon():
            loader.submit(models.answer, name)
        while True:
            try:
                number, items, wanted = connection.recv()
            except (EOFError, OSError):
                return
            chosen = _chosen(items, wanted)
            cold = {name: rows for name, rows in chosen.items() if not models.has(name)}
            warm = {name: models.answer(name, rows) for name, rows in chosen.items() if name not in cold}
            send(number, warm, not cold)
            if cold:
                loader.submit(answer_later, number, cold)
