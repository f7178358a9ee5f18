"""How the pages show the mean echoes; imported by the pages alone."""

import streamlit as st

from pages.ui.runs.view import Chart, View
from tlcore.store import Run

from .run import MeanResult, MeanSpec


class MeanView(View[MeanSpec, MeanResult]):
    def title(self, spec: MeanSpec) -> str:
        return f"Mean echoes, {spec.data.per_class} of each shape"

    def chart(self, spec: MeanSpec) -> Chart:
        return Chart(x_title="echoes")

    def result(self, run: Run, result: MeanResult) -> None:
        st.metric("Nearest mean", f"{result.accuracy:.0%}" if result.accuracy is not None else "–")
