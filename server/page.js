// What Streamlit's page leaves out. It stands in the page's head, before Streamlit's own script.
(() => {
  // Where the server is: pages are one level deep. Left to itself Streamlit asks below the page's own address first, gets
  // two 404s and waits a tenth of a second.
  window.__streamlit = { ...window.__streamlit, BACKEND_BASE_URL: new URL(".", location.href).href };

  // A change of the address's parameters alone is no step of its own: Back leads to the page before.
  const push = history.pushState.bind(history);
  history.pushState = (data, title, url) => {
    if (url != null && languageOf(url)) return; // the page that was left comes back at once
    const stays = url != null && new URL(url, location.href).pathname === location.pathname;
    return stays ? history.replaceState(data, title, url) : push(data, title, url);
  };

  // On a phone the menu covers the page: it closes when a page is chosen.
  document.addEventListener("click", (event) => {
    if (!matchMedia("(max-width: 768px)").matches) return;
    if (!event.target.closest?.('[data-testid="stSidebarNavLink"]')) return;
    setTimeout(() => document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click());
  });

  // A language that is chosen in the bar is kept for a year; the page says to screen readers which it is in.
  const LANGUAGES = __LANGUAGES__; // the first is the server's own
  const WORDS = __WORDS__; // each of Streamlit's own in every language
  const COOKIE = "transfer_lab_language";

  function languageOf(url) {
    const tag = /\/language-([A-Za-z-]+)$/.exec(new URL(url, location.href).pathname)?.[1];
    return LANGUAGES.includes(tag) ? tag : "";
  }

  function keep(tag) {
    const place = new URL(".", location.href).pathname;
    const safe = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `${COOKIE}=${tag}; path=${place}; max-age=31536000; samesite=lax${safe}`;
    document.documentElement.lang = tag;
    if (document.body) reword(document.body);
  }

  // Streamlit's own buttons and fields have English names, whatever the page speaks.
  const NAMED = ["aria-label", "title", "placeholder"];

  function wordsOf(tag) {
    const others = WORDS.flatMap((word) => Object.values(word).map((other) => [other, word[tag]]));
    return (wordsOf[tag] ??= new Map(others.filter(([other, own]) => own && other !== own)));
  }

  function reword(root) {
    const words = wordsOf(document.documentElement.lang);
    for (const named of root.querySelectorAll(NAMED.map((name) => `[${name}]`).join())) {
      for (const name of NAMED) {
        const word = words.get(named.getAttribute(name));
        if (word) named.setAttribute(name, word);
      }
    }
  }

  function fitting(wanted) {
    const base = (tag) => tag.split("-")[0].toLowerCase();
    return LANGUAGES.find((tag) => tag === wanted) ?? LANGUAGES.find((tag) => base(tag) === base(wanted)) ?? LANGUAGES[0];
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href*="/language-"], a[href^="language-"]');
    const tag = link && languageOf(link.href);
    if (tag) keep(tag);
  }, true);

  const kept = document.cookie.split("; ").find((pair) => pair.startsWith(`${COOKIE}=`))?.split("=")[1];
  if (languageOf(location.href)) keep(languageOf(location.href));
  else document.documentElement.lang = fitting(kept || navigator.language || "");

  // Icons stand beside words that say the same: a screen reader need not read "check_circle icon" before "supported".
  const ICON = 'span[role="img"][translate="no"][aria-label$=" icon"]';

  function silence(root) {
    for (const icon of root.querySelectorAll(ICON)) {
      icon.setAttribute("aria-hidden", "true");
      icon.removeAttribute("aria-label");
      icon.removeAttribute("role");
    }
  }

  // On a phone the menu is a list with sections in it, whose links stand in no list: read as links alone, which they are.
  const MENU = '[data-testid="stSidebarNavItems"]';

  function unlist(root) {
    const menu = root.closest(MENU) ?? root.querySelector(MENU);
    for (const part of menu ? [menu, ...menu.querySelectorAll("li:not([role])")] : []) part.setAttribute("role", "none");
  }

  // What is answered or found is told to a screen reader once: by one place that stays, when it has stood for a moment.
  // What Streamlit replaces is told again with every run of a page, or never. What a page comes with is read, not told:
  // what stands there until its script has rested for a moment, unless its reader did something before.
  const STANDS_MS = 700;
  const LOOK_MS = 100;
  const FOUND = '[class*="st-key-verdict"] h2, .st-key-finding h2';
  const WHAT_IF = ".st-key-will_train p:has(strong), .st-key-retrained p:has(strong)"; // on Layers, after a choice
  const SAY = `[data-say], ${FOUND}, ${WHAT_IF}`;
  const told = document.createElement("p");
  told.className = "tl-told";
  told.setAttribute("role", "status");
  let known = new Set();
  let soon = 0;
  let place = "";
  let tells = false; // has the page that is open come, or its reader done anything on it?
  let coming = 0;
  for (const kind of ["pointerdown", "keydown", "click"]) document.addEventListener(kind, () => { tells = true; }, true);

  function come(rested) {
    clearTimeout(coming);
    if (tells) return;
    // before its script runs a page looks settled, but has no title
    const rests = document.querySelector('[data-test-script-state="notRunning"] [data-testid="stMain"] h1');
    if (rests && rested >= STANDS_MS) {
      tell();
      tells = true;
      if (!told.isConnected) document.body.append(told);
    } else coming = setTimeout(come, LOOK_MS, rests ? rested + LOOK_MS : rested);
  }

  // How a presentation looks is written at the whole page. Asked of it by its styles, as html:has(.presented), each point
  // that a chart gets would have every element's style found anew.
  const presented = document.getElementsByClassName("presented");
  const presenting = document.getElementsByClassName("st-key-presenting");

  function dress(page) {
    const look = presented[0]?.className ?? "";
    if ((page.dataset.look ?? "") !== look) page.dataset.look = look;
    page.toggleAttribute("data-presenting", presenting.length > 0);
  }

  const isDrawn = ({ namespaceURI }) => namespaceURI === "http://www.w3.org/2000/svg"; // a chart's hundreds of marks

  function says({ target, addedNodes }) {
    const has = (added) => added.matches?.(SAY) || added.querySelector?.(SAY);
    return (target.closest ? target : target.parentElement)?.closest(SAY) || [...addedNodes].some(has);
  }

  function tell() {
    const words = ({ dataset, textContent }) => dataset.say ?? textContent;
    const stands = [...document.querySelectorAll(SAY)].map(words).filter(Boolean);
    const fresh = tells ? stands.filter((one) => !known.has(one)) : [];
    known = new Set(stands);
    if (tells && !told.isConnected) document.body.append(told);
    if (fresh.length || !stands.length) told.textContent = fresh.join(" ");
  }

  new MutationObserver((changes) => {
    if (place !== location.pathname) {
      [place, tells] = [location.pathname, false];
      come(0);
    }
    dress(document.documentElement);
    const news = changes.filter(({ target }) => !isDrawn(target));
    const within = new Set(news.flatMap(({ addedNodes }) => [...addedNodes].map((added) => added.parentElement)));
    for (const root of within) if (root) {
      silence(root);
      reword(root);
      unlist(root);
    }
    if (news.some(says)) {
      clearTimeout(soon);
      soon = setTimeout(tell, STANDS_MS);
    }
  }).observe(document.documentElement, { childList: true, characterData: true, subtree: true });

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
