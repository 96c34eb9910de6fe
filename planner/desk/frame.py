"""The frame that holds the map's page apart from the rest of the desk."""

from __future__ import annotations

from typing import Any, ClassVar

import panel as pn
import param


class MapFrame(pn.custom.JSComponent):
    """Sandboxed frame around a map's page.

    A new page is loaded behind the old one and takes its place when it is drawn, at the
    view where the reader had moved the old one; so nothing flickers and nothing jumps.
    The page runs in an origin of its own and reaches the desk by messages alone.
    """

    page = param.String(default="", doc="The map, an HTML page.")
    label = param.String(default="", doc="What the frame is called to those who cannot see it.")
    busy = param.String(default="", doc="Words over the dimmed map while figures are computed.")
    failure = param.String(default="", doc="Words for a page that does not draw its map.")
    target = param.List(default=[], doc="Serial number and bounds to go to, or just the number.")

    _esm: ClassVar[str] = """
export function render({ model }) {
  const box = document.createElement("div"), chip = document.createElement("div");
  box.className = "box"; chip.className = "chip"; chip.setAttribute("role", "status");
  box.append(chip);
  let shown = null, coming = null, view = null, failed = false;

  function load() {
    if (!model.page) return;
    if (coming) coming.remove();
    coming = document.createElement("iframe");
    coming.setAttribute("sandbox", "allow-scripts");
    coming.title = model.label;
    const start = view ? `<script>window.plannerView=${JSON.stringify(view)}</` + "script>" : "";
    const mine = coming;
    failed = false;
    coming.addEventListener("load", () => setTimeout(() => {
      failed = coming === mine; settle();
    }, 5000));
    coming.srcdoc = model.page.replace("<head>", () => "<head>" + start);
    box.prepend(coming);
  }
  function hear(event) {
    const said = event.data;
    if (!said || typeof said !== "object") return;
    if (coming && event.source === coming.contentWindow && said.planner === "ready") {
      if (shown) shown.remove();
      shown = coming; coming = null; shown.className = "shown"; settle();
    } else if (shown && event.source === shown.contentWindow && said.planner === "view") {
      view = !Array.isArray(said.centre) ? null
        : {centre: [Number(said.centre[0]), Number(said.centre[1])], zoom: Number(said.zoom)};
    }
  }
  function settle() {
    chip.textContent = model.busy || (failed ? model.failure : "");
    box.classList.toggle("busy", model.busy !== "" || !shown);
  }
  function go() {
    if (!shown || !model.target.length) return;
    shown.contentWindow.postMessage({planner: "bounds", bounds: model.target[1] || null}, "*");
  }
  window.addEventListener("message", hear);
  model.on("remove", () => window.removeEventListener("message", hear));
  model.on("page", load);
  model.on("busy", settle);
  model.on("target", go);
  model.on("label", () => { if (shown) shown.title = model.label; });
  settle();
  load();
  return box;
}
"""

    _stylesheets: ClassVar[list[Any]] = [
        """
.box { position: relative; width: 100%; height: 100%; background: #f3f3f1; }
.box iframe { position: absolute; inset: 0; width: 100%; height: 100%; border: 0; opacity: 0; }
.box iframe.shown { opacity: 1; transition: opacity .15s; }
.box.busy iframe.shown { opacity: .4; }
.chip { position: absolute; left: 50%; top: 45%; transform: translate(-50%, -50%);
  padding: 8px 18px; border-radius: 6px; background: #fff; color: #222; font-size: 14px;
  box-shadow: 0 2px 8px rgba(0, 0, 0, .2); z-index: 2; }
.chip:empty { display: none; }
"""
    ]
