// A column of choices: radios, menus, buttons and a slider, each with its label.
// One value is on its way at a time; of those that come meanwhile each field's last one waits.
export function render({ model }) {
  const form = document.createElement("form");
  form.className = "form";
  form.addEventListener("submit", (event) => event.preventDefault());
  const waiting = new Map();
  let serial = 0, flying = false, held = null, patience = null;

  function send(name, value, final) {
    if (flying) { waiting.delete(name); waiting.set(name, { value, final }); return; }
    flying = true;
    patience = setTimeout(landed, 10000);
    model.send_msg({ name, value, final, serial: ++serial });
  }
  function landed() {
    clearTimeout(patience);
    flying = false;
    for (const [name, { value, final }] of waiting) {
      waiting.delete(name);
      send(name, value, final);
      return;
    }
  }
  model.on("msg:custom", (event) => {
    const said = event && event.data !== undefined ? event.data : event;
    if (said && said.answered !== undefined) landed();
  });

  const id = (name) => "f-" + name;
  function label(field, tag = "label") {
    const made = document.createElement(tag);
    made.className = "name"; made.textContent = field.label;
    if (tag === "label") made.htmlFor = id(field.name);
    else made.id = id(field.name) + "-name";
    return made;
  }
  function grouped(field, role) {
    const box = document.createElement("div");
    box.className = field.kind; box.setAttribute("role", role);
    if (field.label) box.setAttribute("aria-labelledby", id(field.name) + "-name");
    else box.setAttribute("aria-label", field.says);
    return box;
  }
  const makers = {
    radio(field) {
      const box = grouped(field, "radiogroup");
      for (const [value, words] of field.options) {
        const row = document.createElement("label"), input = document.createElement("input");
        input.type = "radio"; input.name = field.name; input.value = value;
        input.checked = value === field.value;
        input.dataset.key = field.name + "/" + value;
        input.addEventListener("change", () => send(field.name, value, true));
        const said = document.createElement("span");
        said.textContent = words;
        row.append(input, said); box.append(row);
      }
      return [label(field, "div"), box];
    },
    select(field) {
      const menu = document.createElement("select");
      menu.id = id(field.name); menu.dataset.key = field.name;
      for (const [value, words] of field.options) {
        if (value === null) {
          const group = document.createElement("optgroup");
          group.label = words; menu.append(group);
          continue;
        }
        const option = new Option(words, value, false, value === field.value);
        (menu.lastElementChild && menu.lastElementChild.matches("optgroup") ? menu.lastElementChild : menu).append(option);
      }
      menu.addEventListener("change", () => send(field.name, menu.value, true));
      return [label(field), menu];
    },
    buttons(field) {
      const box = grouped(field, "group");
      for (const [value, words] of field.options) {
        const one = document.createElement("button");
        one.type = "button"; one.textContent = words;
        one.setAttribute("aria-pressed", value === field.value);
        one.dataset.key = field.name + "/" + value;
        one.addEventListener("click", () => send(field.name, value, true));
        box.append(one);
      }
      return field.label ? [label(field, "div"), box] : [box];
    },
    slider(field) {
      const box = document.createElement("div");
      box.className = "slider";
      const range = document.createElement("input"), exact = document.createElement("input");
      range.type = "range"; exact.type = "number";
      // A track takes its value last: it would be cut to the ends that hold before.
      for (const [one, most] of [[range, field.max], [exact, field.most]]) {
        one.min = one === range ? field.min : 0; one.max = most;
        one.step = one === range ? field.step : "any"; one.value = field.value;
      }
      range.id = id(field.name); range.dataset.key = field.name;
      exact.dataset.key = field.name + "/exact";
      exact.setAttribute("aria-label", field.label + " " + field.unit);
      range.setAttribute("aria-valuetext", field.value + " " + field.unit);
      range.addEventListener("input", () => {
        held = field.name; exact.value = range.value;
        range.setAttribute("aria-valuetext", range.value + " " + field.unit);
        send(field.name, Number(range.value), false);
      });
      range.addEventListener("change", () => {
        held = null; send(field.name, Number(range.value), true);
      });
      exact.addEventListener("change", () => {
        const value = Number(exact.value);
        if (exact.value && value > 0 && value <= field.most) send(field.name, value, true);
        else exact.value = range.value;
      });
      const unit = document.createElement("span");
      unit.textContent = field.unit;
      const row = document.createElement("div");
      row.className = "exact"; row.append(exact, unit);
      if (field.reset) {
        const back = document.createElement("button");
        back.type = "button"; back.textContent = field.reset; back.dataset.key = field.name + "/reset";
        back.addEventListener("click", () => send(field.name, null, true));
        row.append(back);
      }
      box.append(row, range);
      return [label(field), box];
    },
    number(field) {
      const box = document.createElement("div"), input = document.createElement("input");
      box.className = "exact";
      input.type = "number"; input.id = id(field.name); input.dataset.key = field.name;
      input.min = field.min; input.max = field.max; input.step = field.step || "any";
      input.placeholder = field.placeholder || "";
      input.value = field.value === null ? "" : field.value;
      input.addEventListener("change", () => {
        const value = input.value === "" ? null : Number(input.value);
        const fits = value === null ? field.empty : value >= field.min && value <= field.max;
        if (fits) send(field.name, value, true);
        else input.value = field.value === null ? "" : field.value;
      });
      const unit = document.createElement("span");
      unit.textContent = field.unit || "";
      box.append(input, unit);
      return [label(field), box];
    },
    text(field) {
      const input = document.createElement("input");
      input.type = "text"; input.id = id(field.name); input.dataset.key = field.name;
      input.maxLength = 300; input.placeholder = field.placeholder || ""; input.value = field.value;
      input.addEventListener("change", () => send(field.name, input.value, true));
      return [label(field), input];
    },
    note(field) {
      const made = document.createElement("p");
      made.className = "note"; made.textContent = field.label;
      return [made];
    },
  };
  function show() {
    if (held) {
      // A slider in somebody's hand is not taken away from them.
      const field = model.fields.find((one) => one.name === held);
      const same = field && form.querySelector(`[data-key="${held}"]`);
      if (same) return;
    }
    const focus = form.getRootNode().activeElement?.dataset?.key;
    form.replaceChildren(...model.fields.map((field) => {
      const box = document.createElement("div");
      box.className = "field " + (field.narrow ? "narrow" : "");
      box.append(...makers[field.kind](field));
      return box;
    }));
    if (focus) form.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
  }
  model.on("fields", show);
  show();
  return form;
}
