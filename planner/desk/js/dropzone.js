// A file is sent in pieces, each asked for by the server, so that its connection stays free.
const PIECE = 384 * 1024;

export function render({ model }) {
  const box = document.createElement("label"), input = document.createElement("input");
  const title = document.createElement("b"), hint = document.createElement("span");
  const bar = document.createElement("i");
  box.className = "zone"; input.type = "file"; title.setAttribute("role", "status");
  box.append(input, title, hint, bar);
  let file = null;

  function begin(chosen) {
    if (!chosen) return;
    file = chosen;
    if (file.size > model.most) {
      // The server says why; nothing of it is sent.
      model.send_msg({ begin: file.name, size: file.size });
      file = null;
      return;
    }
    model.send_msg({ begin: file.name, size: file.size });
    show(0);
  }
  async function send(at) {
    if (!file) return;
    const own = file, bytes = new Uint8Array(await own.slice(at, at + PIECE).arrayBuffer());
    if (own !== file) return;
    let words = "";
    for (let i = 0; i < bytes.length; i += 32768) words += String.fromCharCode(...bytes.subarray(i, i + 32768));
    model.send_msg({ at, piece: btoa(words) });
    show(own.size ? at / own.size : 1);
  }
  model.on("msg:custom", (event) => {
    const said = event && event.data !== undefined ? event.data : event;
    if (!said || typeof said !== "object") return;
    if (said.next !== undefined) send(said.next);
    if (said.whole || said.stop) { file = null; input.value = ""; show(); }
  });
  function show(share) {
    const words = model.words, busy = share !== undefined && file;
    title.textContent = busy ? words.sending.replace("{share}", Math.round(share * 100))
      : words.name || words.title || "";
    hint.textContent = words.name && !busy ? words.again : words.hint || "";
    box.classList.toggle("filled", !!words.name);
    bar.style.width = busy ? `${share * 100}%` : "0";
    input.accept = model.kinds;
    input.setAttribute("aria-label", words.title || "");
  }
  input.addEventListener("change", () => begin(input.files[0]));
  box.addEventListener("dragover", (event) => { event.preventDefault(); box.classList.add("over"); });
  box.addEventListener("dragleave", () => box.classList.remove("over"));
  box.addEventListener("drop", (event) => {
    event.preventDefault(); box.classList.remove("over");
    begin(event.dataTransfer.files[0]);
  });
  model.on("words", () => show());
  show();
  return box;
}
