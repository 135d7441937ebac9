// Shows Plotly figures in place: Plotly.react keeps zoom and selection, the legend's state lives here.
// Called again whenever the data or the theme changes.

let library;

function plotly() {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("LIBRARY_ADDRESS", document.baseURI).href;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { library = undefined; reject(new Error("The charts could not be loaded. Reload the page.")); };
    document.head.appendChild(script);
  });
  return library;
}

const luminance = (color) => {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = color;
  probe.fillRect(0, 0, 1, 1);
  const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)).join(",");

// A copy of the figure in the colours of a dark page.
function darken(value, table) {
  if (typeof value === "string") {
    if (value[0] === "#") return table[value.toUpperCase()] ?? value;
    if (value.startsWith("rgba(")) {
      for (const [light, dark] of Object.entries(table)) {
        if (value.startsWith(`rgba(${rgb(light)},`)) return value.replace(rgb(light), rgb(dark));
      }
    }
    return value;
  }
  if (Array.isArray(value)) return value.map((v) => darken(v, table));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, k === "bdata" || k === "meta" ? v : darken(v, table)]));
  }
  return value;
}

function themed(figure, css, narrow) {
  const dark = luminance(css.getPropertyValue("--st-background-color")) < 128;
  const table = figure.layout.meta?.dark ?? {};
  const { data, layout } = dark ? darken(figure, table) : structuredClone(figure);
  const text = css.getPropertyValue("--st-text-color");
  layout.font = { family: css.getPropertyValue("--st-font"), size: 13, color: text, ...layout.font };
  layout.hoverlabel = {
    bgcolor: css.getPropertyValue("--st-secondary-background-color"), bordercolor: css.getPropertyValue("--st-border-color"),
    font: { color: text, size: 12.5 }, align: "left", ...layout.hoverlabel,
  };
  const page = css.getPropertyValue("--st-background-color");
  for (const trace of data) if (trace.marker?.line?.color === "#FFFFFF") trace.marker.line.color = page;
  for (const trace of data) if (trace.fillcolor === "#FEFEFE") trace.fillcolor = page;
  delete layout.title;
  delete layout.height;
  delete layout.template;
  if (narrow) layout.dragmode = false;  // a finger scrolls the page, it does not zoom
  if (narrow) for (const trace of data) if (trace.meta?.short) Object.assign(trace, { text: [trace.meta.short], textposition: trace.meta.side });
  layout.autosize = true;
  return { data, layout };
}

function head(caption, title) {
  const text = title?.text ?? "", more = title?.subtitle?.text ?? "";
  const whole = `${text}\n${more}`;
  if (caption.dataset.text === whole) return;
  caption.dataset.text = whole;
  caption.replaceChildren();
  for (const [tag, words] of [["strong", text], ["span", more]]) {
    if (!words) continue;
    const part = document.createElement(tag);
    part.textContent = words;
    caption.appendChild(part);
  }
}

// Plotly's symbols with corners, as points about the middle: one turn of `count` corners, every other one further in.
const turn = (count, from, inner = 1) => Array.from({ length: count }, (_, i) => {
  const angle = from + 2 * Math.PI * i / count, radius = i % 2 ? 5.4 * inner : 5.4;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
});
const plus = [[2, 5], [2, 2], [5, 2], [5, -2], [2, -2], [2, -5], [-2, -5], [-2, -2], [-5, -2], [-5, 2], [-2, 2], [-2, 5]];
const SYMBOLS = {
  square: turn(4, Math.PI / 4), diamond: turn(4, 0), "triangle-up": turn(3, -Math.PI / 2), "triangle-down": turn(3, Math.PI / 2),
  pentagon: turn(5, -Math.PI / 2), star: turn(10, -Math.PI / 2, 0.4), hexagram: turn(12, -Math.PI / 2, 0.58),
  cross: plus, x: plus.map(([x, y]) => [(x - y) * Math.SQRT1_2, (x + y) * Math.SQRT1_2]),
};

// A trace of marks alone, as it looks in the plot.
function dot({ marker }) {
  const corners = SYMBOLS[marker.symbol];
  const part = document.createElementNS("http://www.w3.org/2000/svg", corners ? "polygon" : "circle");
  const look = corners ? { points: corners.map(([x, y]) => `${x + 6},${y + 6}`).join(" ") } : { cx: 6, cy: 6, r: 5 };
  for (const [k, v] of Object.entries({ ...look, fill: marker.color })) part.setAttribute(k, v);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("width", "12");
  svg.setAttribute("height", "12");
  svg.appendChild(part);
  return svg;
}

function sample(trace) {
  if (!trace.mode?.includes("lines") && typeof trace.marker?.color === "string") return dot(trace);
  const color = trace.line?.color ?? trace.marker?.color ?? "currentColor";
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("width", "30");
  svg.setAttribute("height", "10");
  const stroke = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const dash = { solid: "", dot: "2,3", dash: "9,4", dashdot: "9,3,2,3" }[trace.line?.dash] ?? (trace.line?.dash ?? "").replaceAll("px", "");
  for (const [k, v] of Object.entries({ x1: 1, x2: 29, y1: 5, y2: 5, stroke: color, "stroke-width": 2.6, "stroke-dasharray": dash })) stroke.setAttribute(k, v);
  svg.appendChild(stroke);
  return svg;
}

function legend(state, figures) {
  const shown = new Map();
  for (const { data } of figures) for (const t of data) {
    if (t.showlegend !== false && t.name && !shown.has(t.name)) shown.set(t.name, t);
  }
  const items = [...shown].map(([name, trace]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", String(!state.hidden.has(name)));
    button.title = "Hide or show";
    button.append(sample(trace), document.createTextNode(name));
    button.onclick = () => {
      state.hidden.has(name) ? state.hidden.delete(name) : state.hidden.add(name);
      draw(state);
    };
    return button;
  });
  state.legend.replaceChildren(...(state.message.legend ? items : []));
}

function cells(state, count) {
  while (state.grid.children.length > count) {
    window.Plotly?.purge(state.grid.lastChild.querySelector(".alf-plot"));
    state.grid.lastChild.remove();
  }
  while (state.grid.children.length < count) {
    const cell = document.createElement("figure");
    cell.append(document.createElement("figcaption"), Object.assign(document.createElement("div"), { className: "alf-plot" }));
    state.grid.appendChild(cell);
  }
}

// The box that was drawn over a plot, each side in the axis' own numbers; the plot itself stays as it was.
function box(state, plot, change) {
  const ends = (name) => {
    const range = [0, 1].map((i) => change[`${name}.range[${i}]`]);  // a hand's; ours comes as `range`
    if (range.includes(undefined)) return null;
    return plot._fullLayout[name].type === "log" ? range.map((end) => 10 ** end) : range;
  };
  const [x, y] = [ends("xaxis"), ends("yaxis")];
  if (!x && !y) return;
  const { layout } = state.message.figures[number(state, plot)];
  plot.drawing = true;
  window.Plotly.relayout(plot, { "xaxis.range": [...layout.xaxis.range], "yaxis.range": [...layout.yaxis.range] })
    .finally(() => { plot.drawing = false; });
  state.send("box", { figure: number(state, plot), x, y });
}

// Which of the figures a plot is.
const number = (state, plot) => [...state.grid.children].indexOf(plot.parentElement);

function listen(state, plot) {
  plot.on("plotly_relayout", (change) => {
    if (plot.drawing) return;
    if (state.message.boxes) {
      box(state, plot, change);
      return;
    }
    for (const axis of new Set(Object.keys(change).map((key) => key.split(".")[0]).filter((key) => /^[xy]axis/.test(key)))) {
      plot.zoom[axis] = [...plot._fullLayout[axis].range];
    }
  });
  plot.on("plotly_doubleclick", () => {
    plot.zoom = {};
    draw(state);
  });
  plot.on("plotly_click", ({ points: [p] }) => {
    if (!state.message.clicks) return;
    const cell = Array.isArray(p.pointNumber) ? p.pointNumber : null;
    state.send("click", { x: p.x, y: p.y, name: p.data.name ?? "", figure: number(state, plot), cell });
  });
}

// Which chart of the page this is, from above.
const place = (root) => [...document.querySelectorAll(".alf-chart")].indexOf(root);

async function draw(state) {
  const turn = ++state.turn;
  const css = getComputedStyle(state.root);
  const figures = state.message.figures;
  cells(state, figures.length);
  state.grid.style.setProperty("--columns", figures.length);
  figures.forEach((figure, i) => {
    const cell = state.grid.children[i];
    cell.style.setProperty("--height", `${figure.layout.height ?? 320}px`);
    cell.style.setProperty("--head", figures.length > 2 ? "7.4rem" : figures.length > 1 ? "5.9rem" : figure.layout.title?.text ? "3.4rem" : "0");
    head(cell.children[0], figure.layout.title);
  });
  const ready = figures.map((figure) => themed(figure, css, state.root.clientWidth <= 640));
  legend(state, ready);
  let Plotly;
  try {
    Plotly = await plotly();
  } catch (error) {
    state.legend.textContent = error.message;
    return;
  }
  if (turn !== state.turn || !state.root.isConnected) return;
  await Promise.all(ready.map(async ({ data, layout }, i) => {
    const plot = state.grid.children[i].children[1];
    for (const trace of data) if (state.hidden.has(trace.name)) trace.visible = false;
    const fresh = !plot.zoom;
    if (fresh) await new Promise((next) => setTimeout(next, 10 * place(state.root)));  // seen before the next is drawn
    if (turn !== state.turn) return;
    plot.zoom ??= {};
    // Plotly forgets a zoom when the figure's own range changes, as it does with every new curve: the reader's goes first.
    for (const [axis, range] of Object.entries(plot.zoom)) if (layout[axis]) Object.assign(layout[axis], { range, autorange: false });
    plot.drawing = true;
    await Plotly.react(plot, data, layout, { displayModeBar: false, responsive: true, doubleClick: false });
    plot.drawing = false;
    if (fresh) listen(state, plot);
  }));
  state.root.dataset.drawn = String(Number(state.root.dataset.drawn ?? 0) + 1);
}

export default function ({ data, parentElement, setTriggerValue }) {
  let root = parentElement.querySelector(":scope > .alf-chart");
  if (!root) {
    root = Object.assign(document.createElement("div"), { className: "alf-chart" });
    const bar = Object.assign(document.createElement("div"), { className: "alf-legend" });
    const grid = Object.assign(document.createElement("div"), { className: "alf-grid" });
    root.append(bar, grid);
    parentElement.appendChild(root);
    root.alf = { root, legend: bar, grid, hidden: new Set(), turn: 0 };
    root.alf.unwatch = watch(root.alf);
  }
  const state = root.alf;
  state.send = setTriggerValue;
  const text = new TextDecoder().decode(data);
  const css = getComputedStyle(root);
  const look = ["--st-background-color", "--st-text-color", "--st-font"].map((name) => css.getPropertyValue(name)).join();
  if (text !== state.text || look !== state.look) {
    Object.assign(state, { text, look, message: JSON.parse(text) });
    draw(state);
  }
  return () => {
    state.unwatch();
    for (const plot of root.querySelectorAll(".alf-plot")) window.Plotly?.purge(plot);
    root.remove();
  };
}
