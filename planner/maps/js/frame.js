// The page's side of the bridge: holds the map's page in a frame of its own origin, passes
// on what it says and what it is told. Nothing is passed on that does not come from that
// very frame with the word that was given to it.
const PATIENCE_MS = 15000;

export function render({ model }) {
  const box = document.createElement("div"), chip = document.createElement("div");
  box.className = "box busy"; chip.className = "chip"; chip.setAttribute("role", "status");
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  const word = [...crypto.getRandomValues(new Uint32Array(4))].map((n) => n.toString(36)).join("");
  const waiting = new Map();   // key of an unanswered event -> the latest one after it, or null
  const timers = new Map();
  let loads = 0, ready = false, failed = false;
  box.append(frame, chip);

  function load() {
    ready = failed = false;
    const start = `<script>window.plannerWord=${JSON.stringify(word)};</` + "script>";
    frame.srcdoc = model.page.replace("<head>", () => "<head>" + start);
    settle();
  }
  frame.addEventListener("load", () => {
    if (!frame.srcdoc) return;
    box.dataset.loads = ++loads;
    setTimeout(() => { failed = !ready; settle(); }, PATIENCE_MS);
  });

  // One event of a kind (and marker) is on its way at a time; of those after it the last waits.
  function send(said) {
    const key = said.kind + "/" + (said.marker || "");
    if (said.kind === "drop") waiting.has("drag/" + said.marker) && waiting.set("drag/" + said.marker, null);
    if (waiting.has(key)) { waiting.set(key, said); return; }
    waiting.set(key, null);
    timers.set(key, setTimeout(() => answered(key), PATIENCE_MS));
    model.send_msg({ ...said, key });
  }
  function answered(key) {
    clearTimeout(timers.get(key)); timers.delete(key);
    const next = waiting.get(key);
    waiting.delete(key);
    if (next) send(next);
  }
  function hear(event) {
    if (event.source !== frame.contentWindow) return;
    const said = event.data;
    if (!said || typeof said !== "object" || said.planner !== word || typeof said.kind !== "string") return;
    const { planner, ...rest } = said;
    if (said.kind === "ready") { ready = true; failed = false; rest.loads = loads || 1; settle(); }
    send(rest);
  }
  function told(event) {
    const said = event && event.data !== undefined ? event.data : event;
    if (!said || typeof said !== "object") return;
    if (said.answered !== undefined) { answered(said.answered); return; }
    if (ready && frame.contentWindow) frame.contentWindow.postMessage({ planner: word, ...said }, "*");
  }
  function settle() {
    frame.title = model.label;
    chip.textContent = model.busy || (failed ? model.failure : "");
    box.classList.toggle("busy", model.busy !== "");
    box.classList.toggle("blank", !ready);
    box.classList.toggle("dark", model.dark);
  }

  window.addEventListener("message", hear);
  model.on("msg:custom", told);
  model.on("remove", () => {
    window.removeEventListener("message", hear);
    timers.forEach(clearTimeout);
  });
  model.on("page", load);
  for (const name of ["busy", "label", "failure", "dark"]) model.on(name, settle);
  load();
  return box;
}
