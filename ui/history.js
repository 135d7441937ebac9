// One entry in the browser's history for each thing the reader did.
//
// Streamlit enters a page under its bare address and writes what the page shows into the address afterwards: two
// entries, so that Back would take two presses. What the address becomes before the reader has touched the page is no
// entry of its own; nor is what a quick page writes while the address is still that of the page before. And a link to
// another page that stands in a text goes there as the navigation does, without loading everything anew, so that the
// reader's losses come along. One to a section of the same page (`data-to`) opens it and brings it into sight.
(() => {
  if (window.alfHistory) return;
  window.alfHistory = true;
  const push = history.pushState.bind(history);
  let touched = false; // since the page was entered
  let leaving = 0; // until when another page, just asked for, may still be under this one's address
  const show = (section) => {
    if (!section) return;
    section.querySelector("details:not([open]) > summary")?.click();
    // At once, and again while what was asked for makes the section longer, until the reader scrolls.
    const growing = new ResizeObserver(() => section.scrollIntoView({ behavior: "smooth", block: "start" }));
    growing.observe(section);
    for (const kind of ["wheel", "touchmove", "keydown"]) addEventListener(kind, () => growing.disconnect(), { once: true });
    setTimeout(() => growing.disconnect(), 4000);
  };
  const settle = (byReader) => {
    touched = byReader;
    leaving = 0;
  };
  for (const kind of ["pointerdown", "keydown", "input"]) addEventListener(kind, () => settle(true), true);
  addEventListener("popstate", () => settle(false), true);
  history.pushState = (state, title, url) => {
    const to = new URL(url ?? "", location.href);
    if (to.pathname !== location.pathname) {
      settle(false);
      push(state, title, url);
    } else if (performance.now() < leaving) return;
    else if (touched) push(state, title, url);
    else history.replaceState(state, title, url);
  };
  addEventListener(
    "click",
    (event) => {
      if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      const link = event.target.closest?.("a[href]");
      const logo = event.target.closest?.("[data-testid=stLogoLink]");
      if (!logo && (!link || link.origin !== location.origin || link.target === "_blank")) return;
      const same = !logo && link.pathname === location.pathname;
      const inside = link?.matches(".alf-inside");
      if (same && !inside) return;
      if (!same) leaving = performance.now() + 5000;
      if (!inside) return;
      event.preventDefault();
      if (link.href !== location.href) {
        settle(false);
        push({}, "", link.href);
        dispatchEvent(new PopStateEvent("popstate", { state: {} }));
      }
      if (same) show(document.querySelector(`.st-key-${link.dataset.to}`));
    },
    true,
  );
})();
