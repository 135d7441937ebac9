// The hint of a word: one box above all else, whole within the window, wherever the word stands.
//
// A box of the word's own, drawn by a stylesheet, is cut off by whatever scrolls around it: a table, a card, the page's
// edge. This one is in the browser's top layer and placed by hand. A screen reader reads it as the word's description.
(() => {
  if (window.alfHints) return;
  window.alfHints = true;
  const gap = 6, edge = 8; // pixels between word and box, and at least between box and window
  const box = document.createElement("div");
  Object.assign(box, { id: "alf-hint", className: "alf-hint", popover: "manual", role: "tooltip" });
  let word = null, watching = 0;

  function hide() {
    if (!word) return;
    clearInterval(watching);
    word.removeAttribute("aria-describedby");
    word = null;
    if (box.isConnected) box.hidePopover();
  }

  function show(next) {
    if (next === word) return;
    hide();
    word = next;
    document.body.append(box);
    box.textContent = word.dataset.hint;
    word.setAttribute("aria-describedby", box.id);
    box.showPopover();
    place();
    watching = setInterval(() => word.isConnected || hide(), 200); // a rerun of the page may take the word away
  }

  function place() {
    if (!word) return;
    const at = word.getBoundingClientRect(), { offsetWidth: width, offsetHeight: height } = box;
    const { clientWidth, clientHeight } = document.documentElement;
    if (at.bottom < 0 || at.top > clientHeight || at.right < 0 || at.left > clientWidth) return hide();
    const above = at.top - gap - height, below = at.bottom + gap;
    const top = above >= edge ? above : Math.min(below, clientHeight - edge - height);
    box.style.left = `${Math.max(edge, Math.min(at.left, clientWidth - edge - width))}px`;
    box.style.top = `${Math.max(edge, top)}px`;
  }

  const wordAt = (event) => event.target.closest?.(".alf-term[data-hint]");
  for (const kind of ["pointerover", "focusin"])
    document.addEventListener(kind, (event) => {
      const next = wordAt(event);
      if (next) show(next);
      else if (kind === "pointerover" && word !== document.activeElement) hide();
    });
  document.addEventListener("focusout", hide);
  document.addEventListener("scroll", place, true);
  document.addEventListener("pointerdown", (event) => wordAt(event) || hide(), true);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide(), true);
  addEventListener("resize", place);
})();
