// The buttons of a chart that Streamlit draws, which stands in the same container.

const known = new WeakMap(); // parentElement -> its buttons

export default function ({ parentElement, data }) {
  if (!known.has(parentElement)) known.set(parentElement, saveButtons(parentElement));
  const layers = () => parentElement.closest('[class*="st-key-drawn_"]').querySelectorAll(".js-plotly-plot svg.main-svg");
  known.get(parentElement).show({ ...data, layers, csv: () => data.csv });
}
