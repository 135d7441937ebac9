// What a page looks like, measured: the contrast of every text, the names of what can be pressed. Used by test_looks.py.

(() => {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

  // Any CSS colour as [red, green, blue, alpha], alpha from 0 to 1.
  const rgba = (color) => {
    probe.clearRect(0, 0, 1, 1);
    probe.fillStyle = "rgba(0,0,0,0)";
    probe.fillStyle = color;
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = probe.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below, share = 1) => [0, 1, 2].map((i) => top[i] * top[3] * share + below[i] * (1 - top[3] * share)).concat(1);
  const luminance = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
    const v = c[i] / 255;
    return sum + weight * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  }, 0);
  const contrast = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };

  // The colours that a text and what lies behind it come to, through the backgrounds and opacities of all around it.
  function seen(element, color) {
    const chain = [];
    for (let e = element; e; e = e.parentElement) chain.unshift(e);
    const walk = (i, behind) => {
      const style = getComputedStyle(chain[i]), opacity = Number(style.opacity);
      const ground = over(rgba(style.backgroundColor), behind);
      const inner = i + 1 < chain.length ? walk(i + 1, ground) : [over(color, ground), ground];
      return inner.map((c) => over([...c.slice(0, 3), 1], behind, opacity));
    };
    return walk(0, [255, 255, 255, 1]);
  }

  const shown = (e) => e.checkVisibility({ checkVisibilityCSS: true }) && e.getBoundingClientRect().width > 1 && e.getBoundingClientRect().height > 1;

  window.lowContrast = () => {
    const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.textContent.trim(), e = node.parentElement;
      if (!text || !e || !shown(e) || ["SCRIPT", "STYLE", "ANNOTATION"].includes(e.tagName.toUpperCase())) continue;
      if (e.closest("[disabled], [aria-disabled=true], .katex-mathml, .pointlayer, .scatterlayer, [aria-hidden=true]:not(.katex-html)")) continue;
      const style = getComputedStyle(e), svg = e.closest("svg");
      const color = rgba(svg ? style.fill : style.color);
      if (svg && style.fillOpacity) color[3] *= Number(style.fillOpacity);
      if (svg && e.closest(".annotation, .contourlabels")) continue;  // on cells of a heat map: tests/figures looks after those
      const [words, ground] = seen(svg ?? e, color);
      if (words.every((channel, i) => Math.abs(channel - ground[i]) < 1)) continue;  // unseen, as a slider's ends are until it is touched
      const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      const ratio = contrast(words, ground);
      if (ratio < (large ? 3 : 4.5) - 0.005) found.push(`${ratio.toFixed(2)}:1 ${text.slice(0, 50)} (${e.tagName.toLowerCase()}.${e.className.baseVal ?? e.className})`.slice(0, 150));
    }
    return found;
  };
})();
