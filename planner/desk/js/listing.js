// A table of rows in groups: one is chosen by click, Enter or the arrows; some have a box.
export function render({ model }) {
  const box = document.createElement("div"), table = document.createElement("table");
  box.className = "box"; box.append(table);
  const rows = () => [...table.querySelectorAll("tbody tr[data-id]")];

  function cell(words, tag = "td") {
    const made = document.createElement(tag), [first, ...more] = String(words).split("\n");
    const main = document.createElement("span");
    main.textContent = first; made.append(main);
    if (more.length) {
      const small = document.createElement("small");
      small.textContent = more.join(" "); made.append(small);
    }
    return made;
  }
  function row(told) {
    const made = document.createElement("tr");
    if (told.group !== undefined) {
      made.className = "group " + (told.tone || "");
      const head = cell(told.group, "th");
      head.colSpan = model.columns.length; head.scope = "colgroup";
      made.append(head);
      return made;
    }
    made.dataset.id = told.id;
    made.className = told.tone || "";
    if (told.tip) made.title = told.tip;
    told.cells.forEach((words, i) => {
      const one = cell(words);
      if (model.columns[i]?.right) one.className = "right";
      if (model.columns[i]?.whole) one.className = "whole";
      if (i === 0 && told.box !== undefined) {
        const tick = document.createElement("input");
        tick.type = "checkbox"; tick.checked = told.box; tick.setAttribute("aria-label", told.boxLabel || words);
        tick.addEventListener("click", (event) => event.stopPropagation());
        tick.addEventListener("keydown", (event) => event.stopPropagation());
        tick.addEventListener("change", () =>
          model.send_msg({ do: "tick", id: told.id, on: tick.checked }));
        one.prepend(tick);
      }
      made.append(one);
    });
    made.addEventListener("click", () => { focus(made); choose(told.id); });
    return made;
  }
  function choose(id) { model.send_msg({ do: "choose", id }); }
  function focus(one) {
    rows().forEach((other) => { other.tabIndex = other === one ? 0 : -1; });
    one.focus({ preventScroll: false });
  }
  table.addEventListener("keydown", (event) => {
    const every = rows(), at = every.indexOf(event.target);
    if (at < 0) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: every.length - 1 }[event.key];
    if (to !== undefined) { event.preventDefault(); every[to] && focus(every[to]); }
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(event.target.dataset.id); }
  });
  function light() {
    const every = rows();
    every.forEach((one) => one.setAttribute("aria-selected", one.dataset.id === model.chosen));
    const own = every.find((one) => one.dataset.id === model.chosen) || every[0];
    every.forEach((one) => { one.tabIndex = one === own ? 0 : -1; });
  }
  function show() {
    const held = table.getRootNode().activeElement?.dataset?.id, top = box.scrollTop;
    const head = document.createElement("thead"), heads = document.createElement("tr");
    for (const column of model.columns) {
      const one = cell(column.label, "th");
      one.scope = "col"; if (column.right) one.className = "right";
      if (column.width) one.style.width = column.width;
      heads.append(one);
    }
    head.append(heads);
    const body = document.createElement("tbody");
    body.append(...model.rows.map(row));
    if (!model.rows.length && model.empty) {
      const line = document.createElement("tr"), words = cell(model.empty);
      words.colSpan = Math.max(model.columns.length, 1); words.className = "empty";
      line.append(words); body.append(line);
    }
    table.replaceChildren(...(model.columns.length ? [head] : []), body);
    table.setAttribute("role", "grid");
    table.setAttribute("aria-label", model.label);
    light();
    box.scrollTop = top;
    if (held) rows().find((one) => one.dataset.id === held)?.focus({ preventScroll: true });
  }
  model.on("rows", show); model.on("columns", show); model.on("empty", show);
  model.on("label", () => table.setAttribute("aria-label", model.label));
  model.on("chosen", () => {
    light();
    rows().find((one) => one.dataset.id === model.chosen)?.scrollIntoView({ block: "nearest" });
  });
  show();
  return box;
}
