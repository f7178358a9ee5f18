(() => {
  // What a screen reader is told: every change of a live region, in shadow trees too, with the words that stand there then.
  window.heard = [];
  const LIVE = ':is([role=status], [role=alert], [role=log], [aria-live]):not([aria-live=off])';
  const regionOf = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest(LIVE);
  const watch = (root) => new MutationObserver((changes) => {
    const regions = new Set();
    for (const { target, addedNodes, type } of changes) {
      if (type === "characterData" || addedNodes.length) regions.add(regionOf(target));
      for (const added of addedNodes) for (const alert of added.querySelectorAll?.("[role=alert]") ?? []) regions.add(alert);
      for (const added of addedNodes) if (added.matches?.("[role=alert]")) regions.add(added);
    }
    for (const region of regions) {
      const text = region?.isConnected && region.checkVisibility() ? region.textContent.trim() : "";
      if (text) window.heard.push(text);
    }
  }).observe(root, { childList: true, characterData: true, subtree: true });
  watch(document);
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (...options) {
    const root = attach.apply(this, options);
    watch(root);
    return root;
  };
})();
