// Streamlit's page takes the target off every link, so a click is caught here. Each step is a whole load in one window: the
// lab in it begins anew. Without this script a link opens where the plan is.

const STAGE = "transfer-lab-stage";
let links = "";

export default function ({ data }) {
  if (!links) document.addEventListener("click", open, true);
  links = data.links;
}

function open(event) {
  const link = event.composedPath()[0]?.closest?.(links);
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const stage = window.open(link.href, STAGE);
  if (!stage) return; // this browser opens no windows: the link does what it does anyway
  event.preventDefault();
  stage.focus();
}
