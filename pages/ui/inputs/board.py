"""Draw, pick or upload: one chosen model answers large, others in a list. The pad is Home's too."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException, StreamlitInvalidLayoutContextError
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState

from pages.ui.components.pad import drawing_pad
from pages.ui.session import state
from pages.ui.words.text import _, tell
from tlcore import inputs
from tlcore.errors import DataError, LabError
from tlcore.prediction import ModelName, PredictorInfo
from tlcore.spec import InputForm

from . import answers
from .answers import Answers

LOOK_S = 0.25  # so often it is shown what else has come of models that have to be loaded first
PATIENCE_S = 60.0  # what has not come by then is asked again with the next stroke


@dataclass(frozen=True)
class Panel:
    """Who answers, and where: ``first`` large, ``infos`` in the list; all read items of ``form``.

    ``called`` has the title of each by its name.
    ``at`` and ``list_at`` are each an ``st.empty()``, made outside the pen's fragment: a stroke runs that alone, and
    sends these two and none of the columns and switches around them, which cost more than the answer itself.
    """

    first: PredictorInfo
    infos: Sequence[PredictorInfo]
    called: Mapping[str, str]
    form: InputForm
    hint: str
    at: DeltaGenerator
    list_at: DeltaGenerator

    def show(self, item: np.ndarray | None, hint: str = "") -> None:
        """Keep the item for who explains it, and show what the models say to it; without one, where that will be."""
        state.put(on_easel=item)
        said = Answers(item, hint or self.hint)
        if item is None:
            self._write(said)
            return
        try:
            self._ask(item)
        except LabError as error:
            self._write(Answers(None, tell(error)))

    @property
    def _names(self) -> list[str]:
        """Who is asked, in the order in which they are loaded."""
        others = [info.name for info in self.infos]
        first, *outside = (str(ModelName.outside(name)) for name in (self.first.name, *others))
        return [self.first.name, first, *others, *outside]

    def prepare(self) -> None:
        """Have all who will be asked loaded, so that the first stroke does not wait for that."""
        state.lab().serving.prepare(np.zeros(self.form.shape, self.form.dtype), self._names)

    def _ask(self, item: np.ndarray) -> None:
        """Show what is answered at once, then what has to be loaded first, as it comes; the next stroke ends that."""
        first = [self.first.name]
        for found in state.lab().serving.follow(item, self._names, PATIENCE_S, LOOK_S, first):
            self._write(Answers(item, found=found))
            if _is_overtaken():
                return

    def _write(self, said: Answers) -> None:
        picture = None if said.item is None else inputs.modality(self.form.modality).preview(said.item)
        self.at.html(answers.large(self.first, self.called[self.first.name], said, picture))
        self.list_at.html(answers.others(self.infos, self.called, said))


def _is_overtaken() -> bool:
    """Return whether a run of the page, or of the fragment that is being shown, waits for this one to end.

    Streamlit ends a run for another one of the page, but not for one of a fragment.
    """
    context = get_script_run_ctx(suppress_warning=True)
    requests = context.script_requests if context else None
    if requests is None or requests._state != ScriptRequestType.RERUN:
        return False
    waiting = requests._rerun_data.fragment_id_queue
    return not waiting or ThreadState.get().fragment_id in waiting


def run_with(*fragments: str) -> None:
    """Have a stroke's run show these fragments, and no more of the page; for callbacks.

    A stroke may come together with a click that shows the whole page, or another one: that run is whole already, and
    the fragments of a page that was left, or is only half there, cannot be named.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or not context.fragment_ids_this_run:
        return
    try:
        st.rerun(list(fragments))
    except StreamlitAPIException:  # a page that was left before it was whole: the stroke shows it whole
        st.rerun()


def drawn_item(
    form: InputForm, normalise: bool, on_change: Callable[[], None] | None, of_digits: bool = True
) -> np.ndarray | None:
    """Show the pad; return what is on it as an item of ``form``, None while it is blank.

    Parameters
    ----------
    of_digits : whether who answers knows any

    Raises
    ------
    DataError
        There is a lone dot on it.
    """
    label, hint = (_("Draw a digit from 0 to 9"), "") if of_digits else (_("Draw anything"), _("Draw anything"))
    value = drawing_pad("pad", label=label, hint=hint, answers=".answers", on_change=on_change)
    return inputs.modality(form.modality).accept(value["strokes"], form, centred=normalise)


@st.fragment(key="pen")
def pad_and_answers(panel: Panel, *, normalise: bool = True, on_change: Callable[[], None] | None = None) -> None:
    """Show the pad here, and in the panel what its models answer.

    Parameters
    ----------
    on_change : called before a stroke's run; ``run_with`` in it shows other fragments too, this one is "pen"
    """
    try:
        item, hint = drawn_item(panel.form, normalise, on_change, panel.first.knows_digits), ""
    except DataError as error:
        item, hint = None, tell(error)
    try:
        panel.show(item, hint)
    except StreamlitInvalidLayoutContextError:  # the page has run again since, and the places are not its own any more
        st.rerun()
