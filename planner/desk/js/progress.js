export function render({ model }) {
  const box = document.createElement("div");
  box.className = "working"; box.hidden = true;
  box.setAttribute("role", "status");
  box.innerHTML = '<span class="what"></span><span class="clock"></span>'
    + '<progress max="1"></progress><button type="button"></button>';
  const [what, clock, bar, button] = box.children;
  let begun = 0, serial = 0, timer = null;
  button.addEventListener("click", () => { model.cancelled = model.serial; });
  function show() {
    if (model.serial !== serial) { serial = model.serial; begun = Date.now(); }
    clearTimeout(timer);
    const taken = Date.now() - begun;
    box.hidden = !model.what || taken < 900;
    if (!model.what) return;
    what.textContent = model.what;
    clock.textContent = Math.round(taken / 1000) + " s";
    if (model.share >= 0) bar.value = model.share; else bar.removeAttribute("value");
    button.textContent = model.cancel;
    timer = setTimeout(show, 250);
  }
  for (const name of ["what", "share", "serial", "cancel"]) model.on(name, show);
  model.on("remove", () => clearTimeout(timer));
  show();
  return box;
}
