// One entry in the browser's history for each thing the reader did.
//
// Streamlit enters a page under its bare address and writes what the page shows into the address afterwards: two
// entries, so that Back would take two presses. What the address becomes before the reader has touched the page is no
// entry of its own; nor is what a quick page writes while the address is still that of the page before. And a link to
// another page that stands in a table goes there as the navigation does, without loading everything anew, so that the
// reader's losses come along.
(() => {
  if (window.alfHistory) return;
  window.alfHistory = true;
  const push = history.pushState.bind(history);
  let touched = false; // since the page was entered
  let leaving = 0; // until when another page, just asked for, may still be under this one's address
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
      if (!logo && link.pathname === location.pathname) return;
      leaving = performance.now() + 5000;
      if (!link?.matches(".alf-inside")) return;
      event.preventDefault();
      settle(false);
      push({}, "", link.href);
      dispatchEvent(new PopStateEvent("popstate", { state: {} }));
    },
    true,
  );
})();
