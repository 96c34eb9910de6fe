// Texts whose colour stands out too little from what lies behind it (WCAG 2.1, 1.4.3).
const probe = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
function rgba(colour) {
  probe.clearRect(0, 0, 1, 1); probe.fillStyle = colour; probe.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = probe.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
}
const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
const parent = (one) => one.assignedSlot || one.parentElement || one.getRootNode().host || null;
// What lies behind an element; null behind pictures, of which nothing is known.
function behind(one) {
  const seen = [];
  for (let at = one; at; at = parent(at)) {
    const style = getComputedStyle(at), colour = rgba(style.backgroundColor);
    if (style.backgroundImage !== "none") return null;
    if (at.matches(".leaflet-pane, .leaflet-container")) return null;
    seen.push(colour);
    if (colour[3] > 0.99) break;
  }
  return seen.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
}
const part = (value) => value <= 10.3 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4;
const light = (c) => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
const found = [];
for (const one of all) {
  if (one.matches("script, style, option, optgroup, title") || !seen(one)) continue;
  const own = [...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.textContent.trim())
    .join(" ").trim();
  const words = own || (one.matches("input:not([type=range], [type=radio]), select") ? one.value : "");
  if (!words || one.disabled || one.closest(":disabled, [aria-disabled=true]")) continue;
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  if (!box.width || !box.height || style.visibility === "hidden") continue;
  let opacity = 1;
  for (let at = one; at; at = parent(at)) opacity *= Number(getComputedStyle(at).opacity);
  const back = behind(one);
  if (!back || opacity < 0.99) continue;
  const ink = rgba(one instanceof SVGElement ? style.fill : style.color);
  const [a, b] = [light(over(ink, back)), light(back)];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const size = parseFloat(style.fontSize), heavy = Number(style.fontWeight) >= 700;
  const least = size >= 24 || (heavy && size >= 18.66) ? 3 : 4.5;
  if (ratio < least) found.push(`${words.slice(0, 30)}: ${ratio.toFixed(2)} (${one.localName}`
    + ` ${one.className.baseVal ?? one.className}, ${style.color} on ${back.map(Math.round)})`);
}
return found;
