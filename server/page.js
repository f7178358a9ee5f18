// What Streamlit's page leaves out. It stands in the page's head, before Streamlit's own script.
(() => {
  // Where the server is: pages are one level deep. Left to itself Streamlit asks below the page's own address first, gets
  // two 404s and waits a tenth of a second.
  window.__streamlit = { ...window.__streamlit, BACKEND_BASE_URL: new URL(".", location.href).href };

  // A change of the address's parameters alone is no step of its own: Back leads to the page before.
  const push = history.pushState.bind(history);
  history.pushState = (data, title, url) => {
    const stays = url != null && new URL(url, location.href).pathname === location.pathname;
    return stays ? history.replaceState(data, title, url) : push(data, title, url);
  };

  // On a phone the menu covers the page: it closes when a page is chosen.
  document.addEventListener("click", (event) => {
    if (!matchMedia("(max-width: 768px)").matches) return;
    if (!event.target.closest?.('[data-testid="stSidebarNavLink"]')) return;
    setTimeout(() => document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click());
  });

  // Icons stand beside words that say the same: a screen reader need not read "check_circle icon" before "supported".
  const ICON = 'span[role="img"][translate="no"][aria-label$=" icon"]';

  function silence(root) {
    for (const icon of root.querySelectorAll(ICON)) {
      icon.setAttribute("aria-hidden", "true");
      icon.removeAttribute("aria-label");
      icon.removeAttribute("role");
    }
  }

  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const added of change.addedNodes) if (added.parentElement) silence(added.parentElement);
    }
  }).observe(document.documentElement, { childList: true, subtree: true });

  // Copy buttons copy on plain http too, where a browser gives pages no clipboard, and in a frame that may not use it.
  const clipboard = navigator.clipboard;
  const clipboardsOwn = clipboard?.writeText.bind(clipboard);

  async function writeText(text) {
    try {
      return await clipboardsOwn(text);
    } catch {
      let before = document.activeElement;
      while (before?.shadowRoot?.activeElement) before = before.shadowRoot.activeElement;
      const field = (before?.closest("dialog, [role=dialog]") ?? document.body).appendChild(document.createElement("textarea"));
      Object.assign(field, { value: text, readOnly: true, style: "position: fixed; opacity: 0" });
      field.select();
      const copied = document.execCommand("copy");
      field.remove();
      before?.focus();
      if (!copied) throw new DOMException("nothing was copied", "NotAllowedError");
    }
  }

  if (clipboard) clipboard.writeText = writeText;
  else Object.defineProperty(navigator, "clipboard", { value: { writeText } });
})();
