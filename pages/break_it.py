"""Mistakes on purpose: a guess what each will do, and what it did."""

import streamlit as st

from pages.ui import at_a_glance, frame
from pages.ui.runs import fine_tune, lanes
from pages.ui.runs.lanes import Lane
from pages.ui.session import state
from pages.ui.words.numbers import percent
from pages.ui.words.text import _, plain, shown, tell
from tlcore.errors import LabError
from tlcore.recipes import break_it
from tlcore.recipes.break_it import BREAKS, Break, Outcome
from tlcore.store import Run

TITLES = {
    "freeze_too_deep": _("Freeze too deep"),
    "wrong_source": _("Start from the wrong source"),
    "learning_rate": _("Learning rate × 100"),
    "scaling": _("Forget to scale the pixels"),
    "labels": _("Shuffle the labels"),
    "recompile": _("Forget to compile again"),
}
DONE = {
    "freeze_too_deep": _("Everything is frozen through the last hidden dense layer. Only the new head trains."),
    "wrong_source": _("The source learned garments, not digits. Everything else stays the same."),
    "learning_rate": _("0.1 instead of 0.001. Everything else stays the same."),
    "scaling": _("The pixels stay at 0 to 255. The source learned from 0 to 1."),
    "labels": _("The training labels are shuffled at random. Test labels stay correct."),
    "recompile": _(
        "The new head trains alone for 10 epochs. Then `dense_1` is set trainable for 10 more, and `fit` goes on "
        "without a new `compile`."
    ),
}
WHY = {
    "freeze_too_deep": _(
        "That layer sorted the digits 0 to 4. What tells 5 to 9 apart was partly thrown away, and the head alone "
        "cannot get it back."
    ),
    "wrong_source": _("Its filters suit sleeves and soles. Few labels are not enough to make up for that."),
    "learning_rate": _(
        "Each step jumps over the valley. The loss rises, or the network gives every image the same answer."
    ),
    "scaling": _(
        "The activations are about 255 times as large as the trained layers expect, so those layers start "
        "far from anything they have learned."
    ),
    "labels": _("The network learns the training labels by heart. They follow no rule that could fit new images."),
    "recompile": _(
        "The first `fit` after `compile` fixes which weights a step changes. Setting `trainable` later changes a flag, "
        "not that step, and Keras says nothing. Compile after every change of `trainable`."
    ),
}
GUESSES: dict[Outcome, str] = {
    "same": _("It learns just as well"),
    "worse": _("It learns worse"),
    "ended": _("Training breaks down"),
}
HEALTHY = "break_healthy"

frame.heading(
    _("Break it"),
    _(
        "Common mistakes. Guess what each one does. Your guess starts the broken run beside a healthy one with the "
        "same images and the same seed; then you see whether you were right."
    ),
)


NOT_KEPT = _("**This time it turned out differently.** Another seed will tell whether that was luck.")


def promise(one: Break) -> str:
    """Return what a card promises before anything runs."""
    words = _("Test accuracy falls by at least **{points:.0f} points** against the healthy twin.")
    if one.unmoved:
        words += " " + _("`{layers}` does not move at all.").replace("{layers}", ", ".join(one.unmoved))
    if one.may_stop:
        words = _("Training breaks down and stops, or test accuracy falls by at least **{points:.0f} points**.")
    return words.format(points=100 * one.least_drop)


def start_twin(seed: int) -> None:
    """Start the healthy twin where that is not there yet."""
    twin = state.watched(HEALTHY)
    if twin is None or twin.spec != break_it.healthy(seed) or twin.state in ("failed", "stopped"):
        state.watch(HEALTHY, state.start(break_it.healthy(seed), _("The healthy twin")).id)


def start_alone(seed: int) -> None:
    """Start the healthy twin for itself."""
    try:
        start_twin(seed)
    except LabError as error:
        state.put(break_error=tell(error))


def done_right(seed: int) -> None:
    """Show what fine-tuning reaches where nothing is broken: the healthy twin's own result, the recorded one before."""
    twin = state.watched(HEALTHY)
    if twin is not None and twin.final and twin.accuracy is not None:
        words = _("Done right: {accuracy} with {n} labels per class")
        at_a_glance.show(
            "done_right",
            words.format(accuracy=percent(twin.accuracy), n=twin.spec.data.per_class),
            _("The healthy twin's result. Now guess what a mistake does to it."),
        )
        return
    with at_a_glance.done_right():
        if twin is None or twin.final:
            st.button(
                _("Run it done right first"), key="start_healthy", type="primary", on_click=start_alone, args=(seed,)
            )
        else:
            follow_twin(twin.id)
    if message := state.take("break_error"):
        st.error(message)


@st.fragment(run_every=1.0)
def follow_twin(run_id: str) -> None:
    """Say how far the healthy twin is, and show the page again when it has ended."""
    run = state.lab().store.get(run_id)
    if run.final:
        st.rerun()
    done = run.progress
    words = (
        _("The healthy twin is training: step {n:,} of {total:,}.") if done.n_steps else _("The healthy twin waits.")
    )
    st.caption(words.format(n=done.step, total=done.n_steps))


def start(name: str, seed: int, guess: Outcome) -> None:
    """Take the guess and start the broken run, and its twin where that is not there yet."""
    state.put(**{f"break_guess_{name}": guess})
    try:
        start_twin(seed)
        state.watch(f"break_{name}", state.start(break_it.broken(name, seed), TITLES[name]).id)
    except LabError as error:
        state.put(**{f"break_error_{name}": tell(error)})


def card(one: Break, seed: int) -> None:
    st.subheader(TITLES[one.name], anchor=False)
    st.markdown(DONE[one.name])
    try:
        run, twin = state.watched(f"break_{one.name}"), state.watched(HEALTHY)
    except LabError as error:
        run = twin = None
        st.warning(tell(error))
    guess = state.get(f"break_guess_{one.name}")
    st.markdown(
        _("**What will happen?** Your guess starts both runs.") if run is None else _("**Guess again** with this seed:")
    )
    with st.container(horizontal=True, key=f"guesses_{one.name}"):
        for outcome, words in GUESSES.items():
            chosen = run is not None and outcome == guess
            st.button(
                words,
                key=f"guess_{one.name}_{outcome}",
                type="primary" if chosen else "secondary",
                on_click=start,
                args=(one.name, seed, outcome),
            )
    if message := state.take(f"break_error_{one.name}"):
        st.error(message)
    if run and twin:
        compared(one, run, twin, guess)


def compared(one: Break, run: Run, twin: Run, guess: Outcome | None) -> None:
    """Show both curves, and once both are over what came of it, whether the guess was right, and why it went so."""
    pair = [Lane(_("Broken"), run, "broken"), Lane(_("Healthy"), twin, "healthy")]
    lanes.show(pair, f"break_{one.name}", TITLES[one.name])
    if not (run.final and twin.final):
        return
    try:
        found = break_it.verdict(one.name, run, twin)
    except LabError as error:
        st.info(tell(error))
        return
    tell_outcome(found, guess, plain(shown(run.error)))
    lanes.metrics(pair)
    if one.unmoved:
        fine_tune.proof_badge(break_it.proof(run))
    st.markdown(_("**Why.** {words}").format(words=WHY[one.name]))
    st.caption(_("Predicted: {promise}").format(promise=promise(one)) + ("" if found.kept else " " + NOT_KEPT))


def tell_outcome(found: break_it.Verdict, guess: Outcome | None, reason: str) -> None:
    """Say in one line what came of the mistake, and whether it had been guessed."""
    if found.drop is None:
        words = _("Training broke down and stopped: {reason}").format(reason=reason)
    elif found.outcome == "worse":
        words = _("The test accuracy fell by {points:.1f} points.").format(points=100 * found.drop)
    else:
        words = _("Within {points:.1f} points of its healthy twin.").format(points=100 * abs(found.drop))
    if guess is None:
        st.info(words)
    elif guess == found.outcome:
        st.success(_("**You guessed it.** {words}").format(words=words), icon=":material/check:")
    else:
        st.warning(
            _("**You guessed: {guess}.** {words}").format(guess=GUESSES[guess].lower(), words=words),
            icon=":material/close:",
        )


seed = int(state.get("seed"))
spec = break_it.healthy(seed)
st.caption(
    _(
        "The healthy twin: digits 0-4 → 5-9, {n} labels per class, {epochs} epochs, convolutions frozen, learning rate "
        "{rate:g}, seed {seed} (from the Train page). Each prediction came true for at least 9 of 10 seeds."
    ).format(n=spec.data.per_class, epochs=spec.epochs, rate=spec.phases[0].learning_rate, seed=seed)
)
try:
    done_right(seed)
except LabError as error:
    st.warning(tell(error))
for first in range(0, len(BREAKS), 2):
    for column, one in zip(st.columns(2), list(BREAKS.values())[first : first + 2], strict=False):
        with column, st.container(border=True, key=f"card_{one.name}"):
            card(one, seed)
frame.next_page("how_it_works.py", _("Next: how it works"))
