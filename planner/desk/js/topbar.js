// The head of the page: title, tabs, what the data are, language and colours.
export function render({ model }) {
  const bar = document.createElement("header");
  bar.className = "bar";

  function button(words, title, act, pressed) {
    const made = document.createElement("button");
    made.type = "button"; made.textContent = words;
    if (title) { made.title = title; made.setAttribute("aria-label", title); }
    if (pressed !== undefined) made.setAttribute("aria-pressed", pressed);
    made.addEventListener("click", act);
    return made;
  }
  function show() {
    const words = model.words, held = bar.querySelector(":focus")?.dataset.key;
    const title = document.createElement("h1");
    title.textContent = words.title;
    const tabs = document.createElement("div");
    tabs.className = "tabs"; tabs.setAttribute("role", "tablist");
    tabs.setAttribute("aria-label", words.views);
    for (const [key, name] of model.tabs) {
      const tab = button(name, "", () => { model.tab = key; });
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-selected", key === model.tab);
      tab.tabIndex = key === model.tab ? 0 : -1;
      tab.dataset.key = key;
      tabs.append(tab);
    }
    tabs.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const keys = model.tabs.map(([key]) => key);
      model.tab = keys[(keys.indexOf(model.tab) + step + keys.length) % keys.length];
      setTimeout(() => bar.querySelector('[aria-selected="true"]').focus());
    });
    const place = document.createElement("span");
    place.className = "place"; place.textContent = words.place; place.title = words.place;
    const end = document.createElement("div");
    end.className = "end";
    end.append(place);
    for (const [label, notes] of words.badges) {
      const badge = document.createElement("span");
      badge.className = "badge"; badge.textContent = label; badge.title = notes; badge.tabIndex = 0;
      badge.setAttribute("aria-label", label + ": " + notes);
      end.append(badge);
    }
    const langs = document.createElement("div");
    langs.className = "switch"; langs.setAttribute("role", "group");
    langs.setAttribute("aria-label", words.language);
    for (const [key, name] of model.langs) {
      const one = button(name, "", () => { model.lang = key; }, key === model.lang);
      one.lang = key; one.dataset.key = "lang-" + key;
      langs.append(one);
    }
    const dark = model.theme === "dark";
    const theme = button("", dark ? words.light : words.dark,
      () => { model.theme = dark ? "light" : "dark"; });
    theme.innerHTML = '<svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">'
      + '<circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" stroke-width="1.5"/>'
      + '<path d="M8 1.5a6.5 6.5 0 0 1 0 13Z" fill="currentColor"/></svg>';
    theme.className = "icon"; theme.dataset.key = "theme";
    const link = button("", words.link, async () => {
      try { await navigator.clipboard.writeText(location.href); said.textContent = words.copied; }
      catch { said.textContent = words.not_copied; }
      setTimeout(() => { said.textContent = ""; }, 2500);
    });
    link.innerHTML = '<svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" '
      + 'stroke-width="1.6" stroke-linecap="round" aria-hidden="true"><path d="M6.5 9.5a3 3 0 0 0 '
      + '4.2 0l2.300-2.300a3 3 0 0 0-4.2-4.200l-.8.8M9.5 6.5a3 3 0 0 0-4.2 0L3 8.800A3 3 0 0 '
      + '0 7.2 13l.8-.8"/></svg>';
    link.className = "icon"; link.dataset.key = "link";
    const said = document.createElement("span");
    said.className = "said"; said.setAttribute("role", "status");
    end.append(said, langs, theme, link);
    if (words.user) {
      const user = document.createElement("span"), out = document.createElement("a");
      user.className = "user"; user.textContent = words.user; user.title = words.user;
      out.href = "./logout"; out.textContent = words.out; out.className = "out"; out.title = words.user;
      end.append(user, out);
    }
    bar.replaceChildren(title, tabs, end);
    if (held) bar.querySelector(`[data-key="${held}"]`)?.focus();
    document.documentElement.lang = model.lang === "zh" ? "zh-CN" : "en";
    document.documentElement.dataset.theme = model.theme;
    document.title = words.title;
  }
  // The browser asks in words of its own.
  const leave = (event) => { if (model.unsaved) { event.preventDefault(); event.returnValue = ""; } };
  window.addEventListener("beforeunload", leave);
  model.on("remove", () => window.removeEventListener("beforeunload", leave));
  for (const name of ["words", "tabs", "tab", "lang", "theme"]) model.on(name, show);
  show();
  return bar;
}
