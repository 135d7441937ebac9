// While a slider is held, curves, ratios and critical noise rates follow it here; the server confirms on release.
// message.live: { runtime, forms, parameters, classes, u, quantities, sliders: {css class: [loss, parameter]} }

const modules = new Map();

function curves(live) {
  const text = `${live.runtime}\nexport const forms = [${live.forms.join(",\n")}];`;
  if (!modules.has(text)) {
    modules.clear();
    modules.set(text, import(URL.createObjectURL(new Blob([text], { type: "text/javascript" }))));
  }
  return modules.get(text);
}

// The least share of the first gain: a search on a grid, with its limit of small steps, which is exact for a convex loss.
function ratios(value, slope, n = 48) {
  const l = Array.from({ length: n + 1 }, (_, i) => value(i / n)), first = slope(0);
  if (!Number.isFinite(l[0]) || !Number.isFinite(first) || first === 0) return [0, 0];
  let low = 1, upper = Math.min(1, slope(1) / first);
  for (let i = 0; i <= n; i++) low = Math.min(low, slope(i / n) / first);
  for (let d = 1; d <= n; d++) {
    const gain = l[0] - l[d];
    for (let x = 0; x + d <= n; x++) low = Math.min(low, (l[x] - l[x + d]) / gain);
    upper = Math.min(upper, (l[n - d] - l[n]) / gain);
  }
  return [Math.max(0, low), Math.max(0, upper)];
}

const decimals = (r) => (r === 0 || r === 1 ? String(r) : r.toFixed(4));
const percent = (r) => (r === 0 ? "none" : `${(100 * r).toFixed(1)}%`);

function show(card, name, text, share) {
  const stat = card?.querySelector(`[data-stat="${name}"]`);
  if (!stat) return;
  const number = stat.querySelector("b");
  if (number?.firstChild) number.firstChild.nodeValue = text;  // React keeps this text node
  stat.querySelector("i")?.style.setProperty("--w", `${(100 * share).toFixed(1)}%`);
}

// Bends one line of a plot where it is: Plotly.restyle draws the whole plot again, ten times slower than a frame.
function bend(plot, index, x, y) {
  const { xaxis, yaxis } = plot._fullLayout, values = y.map((v) => (Number.isFinite(v) ? v : null));
  plot.data[index].y = plot._fullData[index].y = values;
  const trace = [...plot.querySelectorAll(".scatterlayer .trace")].find((g) => g.__data__?.[0]?.trace.index === index);
  let path = "", pen = "M";
  values.forEach((v, i) => {
    if (v !== null) path += `${pen}${xaxis.c2p(x[i]).toFixed(2)},${yaxis.c2p(v).toFixed(2)}`;
    pen = v === null ? "M" : "L";
  });
  trace?.querySelector(".js-line")?.setAttribute("d", path);
}

async function follow(state, live, loss, parameters) {
  const { curve, forms } = await curves(live);
  const form = forms[loss], K = live.classes;
  if (!form) return;
  live.quantities.forEach((quantity, i) => {
    const plot = state.grid.children[i]?.children[1];
    if (plot?._fullData?.[loss]) bend(plot, loss, live.u, live.u.map((u) => curve(form, quantity, u, K, parameters)));
  });
  const card = document.querySelectorAll(".alf-card")[loss];
  if (card?.querySelector("[data-stat]")) {
    const [r, up] = ratios((u) => curve(form, "value", u, K, parameters), (u) => curve(form, "derivative", u, K, parameters));
    const symmetric = r * (K - 1) / (1 + r * (K - 1)), pair = up / (1 + up);
    show(card, "ratio", decimals(r), r);
    show(card, "upper", decimals(up), up);
    show(card, "symmetric", percent(K === 2 ? pair : symmetric), K === 2 ? pair : symmetric);
    show(card, "pair", percent(pair), pair);
  }
  state.root.dataset.followed = String(Number(state.root.dataset.followed ?? 0) + 1);
}

// Watches the page's sliders; a held one is looked at once a frame.
// biome-ignore lint/correctness/noUnusedVariables: chart.js, which is joined to this file, calls it
function watch(state) {
  const held = (event) => {
    const live = state.message?.live, box = event.target.closest?.("[data-testid=stSlider]");
    if (!live || !box || !state.root.isConnected) return;
    const name = Object.keys(live.sliders).find((key) => box.closest(`.${CSS.escape(key)}`));
    const input = box.querySelector("input[type=range]");
    if (!name || !input) return;
    const [loss, index] = live.sliders[name], parameters = [...live.parameters[loss]];
    let last = input.value, busy = false, over = false;
    const look = () => {
      if (input.isConnected && input.value !== last && !busy) {
        last = input.value;
        parameters[index] = Number(last);
        busy = true;
        follow(state, live, loss, parameters).finally(() => { busy = false; });
      }
      if (!over && state.root.isConnected) requestAnimationFrame(look);
    };
    const release = () => { over = true; removeEventListener("pointerup", release); removeEventListener("pointercancel", release); };
    addEventListener("pointerup", release);
    addEventListener("pointercancel", release);
    look();
  };
  addEventListener("pointerdown", held, true);
  return () => removeEventListener("pointerdown", held, true);
}
