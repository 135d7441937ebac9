// The risk over the triangle at every noise rate, added up here from one raster per label: the server is not asked.

const H = Math.sqrt(3) / 2;
const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

function floats(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

function weights(kind, rate) {
  return kind === "symmetric" ? [1 - rate, rate / 2, rate / 2] : [1 - rate, rate, 0];
}

// 256 colours along the scale's stops.
function table(stops) {
  const colors = new Uint8ClampedArray(256 * 3);
  for (let i = 0; i < 256; i++) {
    const t = i / 255;
    let k = 1;
    while (k < stops.length - 1 && stops[k][0] < t) k++;
    const [a, from] = stops[k - 1], [b, to] = stops[k], s = (t - a) / (b - a);
    rgb(from).forEach((c, j) => { colors[3 * i + j] = c + (rgb(to)[j] - c) * s; });
  }
  return colors;
}

// Which raster points lie in the triangle; the raster reaches 0.01 beyond it on each side.
function inside(columns, rows) {
  const list = [];
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) {
    const x = -0.01 + 1.02 * c / (columns - 1), y = -0.01 + (H + 0.02) * r / (rows - 1);
    const third = y / H, second = x - third / 2;
    if (third >= -0.002 && second >= -0.002 && 1 - second - third >= -0.002) list.push(r * columns + c);
  }
  return Int32Array.from(list);
}

function prepare(loss) {
  return {
    ...loss,
    labels: loss.labels.map(floats),
    within: inside(loss.columns, loss.rows),
    image: new ImageData(loss.columns, loss.rows),
    risk: new Float32Array(loss.columns * loss.rows),
  };
}

function paint(loss, w, colors) {
  const { labels: [a, b, c], risk, within, image, columns, rows } = loss;
  for (let k = 0; k < risk.length; k++) risk[k] = w[0] * a[k] + (w[1] ? w[1] * b[k] : 0) + (w[2] ? w[2] * c[k] : 0);
  const sorted = new Float32Array(Math.ceil(within.length / 5));  // every fifth point is enough for a quantile
  for (let k = 0; k < sorted.length; k++) sorted[k] = risk[within[5 * k]];
  sorted.sort();
  let low = sorted[0];
  for (const k of within) if (risk[k] < low) low = risk[k];
  const high = sorted[Math.floor(0.97 * (sorted.length - 1))], span = high - low || 1;
  for (let r = 0; r < rows; r++) for (let q = 0; q < columns; q++) {
    const k = r * columns + q, to = 4 * ((rows - 1 - r) * columns + q);  // the picture's first row is the top one
    const i = Math.round(255 * Math.sqrt(Math.min(1, Math.max(0, (risk[k] - low) / span))));
    image.data[to] = colors[3 * i]; image.data[to + 1] = colors[3 * i + 1]; image.data[to + 2] = colors[3 * i + 2];
    image.data[to + 3] = 255;
  }
}

// The risk between the raster's points, for the flow.
function at(loss, x, y) {
  const c = Math.min(loss.columns - 1.001, Math.max(0, (x + 0.01) / 1.02 * (loss.columns - 1)));
  const r = Math.min(loss.rows - 1.001, Math.max(0, (y + 0.01) / (H + 0.02) * (loss.rows - 1)));
  const i = Math.floor(c), j = Math.floor(r), s = c - i, t = r - j, n = loss.columns, f = loss.risk;
  return (1 - t) * ((1 - s) * f[j * n + i] + s * f[j * n + i + 1]) + t * ((1 - s) * f[(j + 1) * n + i] + s * f[(j + 1) * n + i + 1]);
}

const plane = (u) => [u[1] + u[2] / 2, u[2] * H];

// A path from point to point.
function connect(pen, points) {
  for (const [i, [x, y]] of points.entries()) i ? pen.lineTo(x, y) : pen.moveTo(x, y);
}

// Gradient descent on the logits from a prediction: u' = -(diag u - u u')^2 grad R, in small equal steps.
function flow(loss, start) {
  let u = [...start];
  const way = [plane(u)], e = 0.008;
  for (let n = 0; n < 150; n++) {
    const [x, y] = plane(u);
    const gx = (at(loss, x + e, y) - at(loss, x - e, y)) / (2 * e), gy = (at(loss, x, y + e) - at(loss, x, y - e)) / (2 * e);
    const g = [0, gx, gx / 2 + gy * H];
    const apply = (v) => { const m = u[0] * v[0] + u[1] * v[1] + u[2] * v[2]; return v.map((p, i) => u[i] * (p - m)); };
    const step = apply(apply(g)), size = Math.hypot(...step);
    if (!(size > 1e-7)) break;
    u = u.map((p, i) => Math.max(1e-4, p - 0.009 * step[i] / size));
    const total = u[0] + u[1] + u[2];
    u = u.map((p) => p / total);
    way.push(plane(u));
    if (Math.max(...u) > 0.995) break;
  }
  return way;
}

const CORNER = [1, 0, 0];

// The best prediction in words, with as many digits as it takes to tell it from the corner: none where it is the corner.
function words(best) {
  for (let digits = 2; digits <= 6; digits++) {
    const text = best.map((p) => p.toFixed(digits)).join(", ");
    if (text !== CORNER.map((p) => p.toFixed(digits)).join(", ")) return text;
  }
  return "";
}

// The minimiser at a rate: between those of the grid's rates, and between the theory's critical rate and the next one.
function minimiser(loss, step, critical) {
  const k = Math.min(loss.best.length - 2, Math.floor(step));
  if (critical !== null && step <= critical) return CORNER;
  const late = critical !== null && critical > k;  // the grid's last rate in the corner lies before the critical one
  const from = late ? CORNER : loss.best[k], start = late ? critical : k;
  return from.map((p, i) => p + (step - start) / (k + 1 - start) * (loss.best[k + 1][i] - p));
}

const STARTS = [[1 / 3, 1 / 3, 1 / 3], [0.12, 0.2, 0.68], [0.12, 0.68, 0.2], [0.3, 0.1, 0.6], [0.3, 0.6, 0.1], [0.06, 0.47, 0.47], [0.5, 0.1, 0.4], [0.5, 0.4, 0.1]];

// Everything, or after the rate has moved only what that changes.
function draw(state, moved = false) {
  const { message, css } = state;
  const dark = state.dark;
  state.label.innerHTML = "";
  state.label.append("Wrong labels ", Object.assign(document.createElement("b"), { textContent: `${(100 * state.rate).toFixed(1)}%` }));
  state.losses.forEach((loss, n) => {
    if (loss.clean && moved) return;
    const rate = loss.clean ? 0 : state.rate, w = weights(message.kind, rate);
    const { canvas, title, about } = state.cells[n];
    paint(loss, w, state.colors);
    const scale = Math.min(2, window.devicePixelRatio || 1), width = canvas.clientWidth || 320;
    const height = width * 0.98;
    if (canvas.width !== Math.round(width * scale)) { canvas.width = Math.round(width * scale); canvas.height = Math.round(height * scale); }
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const side = width - 36, left = 18, bottom = height - 30;
    const place = ([x, y]) => [left + side * x, bottom - side * y];
    state.buffer.width = loss.columns; state.buffer.height = loss.rows;
    state.buffer.getContext("2d").putImageData(loss.image, 0, 0);
    const corners = [[0, 0], [1, 0], [0.5, H]].map(place);
    pen.save();
    pen.beginPath();
    connect(pen, corners);
    pen.closePath();
    pen.clip();
    pen.imageSmoothingEnabled = true;
    const [x0, y1] = place([-0.01, -0.01]), [x1, y0] = place([1.01, H + 0.01]);
    pen.drawImage(state.buffer, x0, y0, x1 - x0, y1 - y0);
    pen.lineWidth = 1.2;
    STARTS.forEach((start, i) => {
      pen.strokeStyle = i ? "rgba(255,255,255,0.45)" : "rgba(255,255,255,0.95)";
      pen.lineWidth = i ? 1 : 2;
      pen.beginPath();
      connect(pen, flow(loss, start).map(place));
      pen.stroke();
    });
    pen.restore();
    const steps = (loss.best.length - 1) / message.top, edge = loss.edges[Math.round(steps * rate)];
    const best = minimiser(loss, steps * rate, loss.critical === null ? null : steps * loss.critical);
    const color = dark ? loss.dark : loss.color, page = css.getPropertyValue("--st-background-color");
    if (edge) {
      const ends = [edge[1], edge[2]].map((share) => { const u = [0, 0, 0]; u[edge[0]] = share; u[(edge[0] + 1) % 3] = 1 - share; return place(plane(u)); });
      pen.strokeStyle = color; pen.lineWidth = 7; pen.lineCap = "round";
      pen.beginPath(); pen.moveTo(...ends[0]); pen.lineTo(...ends[1]); pen.stroke();
    } else {
      const [x, y] = place(plane(best));
      pen.beginPath(); pen.arc(x, y, 8, 0, 7); pen.fillStyle = color; pen.fill();
      pen.lineWidth = 2; pen.strokeStyle = page; pen.stroke();
    }
    pen.fillStyle = css.getPropertyValue("--st-text-color");
    pen.font = `13px ${css.getPropertyValue("--st-font")}`;
    for (const [text, [x, y], align, shift] of [["clean class", corners[0], "left", 20], ["class 2", corners[1], "right", 20], ["class 3", corners[2], "center", -8]]) {
      pen.textAlign = align;
      pen.fillText(text, x + (align === "left" ? -14 : align === "right" ? 14 : 0), y + shift);
    }
    // Without a critical rate the minimiser is a number, and one so close to the corner is taken for it.
    const to = loss.critical === null && best[0] > 0.9995 ? "" : words(best);
    const name = loss.clean ? `${loss.label} on clean labels` : loss.label, label = loss.clean ? "right label" : "clean label";
    const pending = loss.pending && !loss.clean;
    title.textContent = pending ? name : edge ? `${name}: every prediction on one edge is as good as the ${label}`
      : to ? `${name}: the best prediction is ${to}` : `${name}: the best prediction stays the ${label}`;
    about.textContent = loss.clean ? "The risk without wrong labels." : pending ? "The noise rate at which the best prediction leaves the corner is being worked out …" : loss.critical === null ? "The asymmetry ratio is not defined for this loss."
      : loss.critical === 0 ? "The best prediction leaves the corner with the first wrong label." : `The best prediction leaves the corner at ${(100 * loss.critical).toFixed(1)}% wrong labels.`;
    if (!pending) state.cells[n].figure.dataset.best = best.join(",");
  });
  state.root.dataset.frames = String(Number(state.root.dataset.frames ?? 0) + 1);
}

function build(root) {
  const bar = Object.assign(document.createElement("div"), { className: "alf-bar" });
  const label = document.createElement("label"), slider = document.createElement("input");
  Object.assign(slider, { type: "range", min: 0, step: "any" });
  slider.setAttribute("aria-label", "Share of wrong labels");
  bar.append(label, slider);
  const row = Object.assign(document.createElement("div"), { className: "alf-row" });
  root.append(bar, row);
  const state = { root, label, slider, row, cells: [], buffer: document.createElement("canvas") };
  let asked = false;
  slider.oninput = () => {
    state.rate = Number(slider.value);
    if (!asked) requestAnimationFrame(() => { asked = false; draw(state, true); });
    asked = true;
  };
  slider.onchange = () => state.send("rate", Math.round(Number(slider.value) * 1000) / 1000);
  new ResizeObserver(() => state.losses && draw(state)).observe(row);
  return state;
}

export default function ({ data, parentElement, setTriggerValue }) {
  let root = parentElement.querySelector(":scope > .alf-simplex");
  if (!root) {
    root = Object.assign(document.createElement("div"), { className: "alf-simplex" });
    parentElement.appendChild(root);
    root.alf = build(root);
  }
  const state = root.alf, text = new TextDecoder().decode(data);
  state.send = setTriggerValue;
  state.css = getComputedStyle(root);
  const look = state.css.getPropertyValue("--st-background-color");
  if (text !== state.text || look !== state.look) {
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = look;
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
    const message = JSON.parse(text);
    Object.assign(state, { text, look, message, dark: r + g + b < 384, rate: message.rate, colors: table(message.scale) });
    state.losses = message.losses.map(prepare);
    Object.assign(state.slider, { max: message.top, value: message.rate });
    const many = state.losses.length > 3;  // each loss on clean labels above itself, or the pictures become too small
    state.row.style.setProperty("--count", many ? state.losses.length / 2 : state.losses.length);
    state.row.classList.toggle("alf-two", many);
    state.row.replaceChildren();
    state.cells = state.losses.map(() => {
      const figure = document.createElement("figure"), caption = document.createElement("figcaption");
      const title = document.createElement("strong"), about = document.createElement("span"), canvas = document.createElement("canvas");
      caption.append(title, about);
      figure.append(caption, canvas);
      state.row.append(figure);
      return { figure, title, about, canvas };
    });
    draw(state);
  }
  return () => root.remove();
}
