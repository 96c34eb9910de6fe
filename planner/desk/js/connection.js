// Says that the server cannot be reached, asks whether it is back, and loads the page anew.
const PAUSE_MS = 3000;

export function render({ model, view }) {
  const box = document.createElement("div");
  box.className = "lost"; box.hidden = true;
  box.setAttribute("role", "alert");
  box.innerHTML = '<span class="what"></span><button type="button"></button>';
  const [what, button] = box.children;
  let lost = false, back = false, leaving = false, timer = null;
  function show() {
    const words = model.words;
    box.hidden = !lost;
    const told = !lost ? "" : [back ? words.back : words.lost, model.unsaved ? words.unsaved : ""]
      .join("");
    // A screen reader says a text again whenever it is set.
    if (what.textContent !== told) what.textContent = told;
    button.textContent = words.again;
    button.hidden = !back;
    // What stands on the page is read still; tabs and languages would only seem to be chosen.
    for (const one of view.el.parentNode?.children || []) {
      if (one === view.el) continue;
      one.style.opacity = lost ? ".6" : "";
    }
    const bar = view.el.previousElementSibling;
    if (bar) bar.inert = lost;
  }
  async function look() {
    try {
      // A proxy has a page of its own for a server that is gone.
      await (await fetch("./health", { cache: "no-store" })).json();
      back = true;
    } catch { back = false; }
    show();
    if (lost && !back) timer = setTimeout(look, PAUSE_MS);
  }
  button.addEventListener("click", () => location.reload());
  const leave = () => { leaving = true; }, stay = () => { leaving = false; };
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", stay);
  view.model.document?.on_event("connection_lost", () => {
    if (leaving) return;
    lost = true; back = false;
    show();
    timer = setTimeout(look, PAUSE_MS);
  });
  model.on("remove", () => {
    clearTimeout(timer);
    window.removeEventListener("pagehide", leave);
    window.removeEventListener("pageshow", stay);
  });
  for (const name of ["words", "unsaved"]) model.on(name, show);
  show();
  return box;
}
