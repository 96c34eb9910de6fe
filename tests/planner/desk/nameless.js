// Controls that a screen reader has no name for.
const text = (root, ids) => ids.split(/\s+/).map((id) => root.getElementById(id)?.textContent || "").join("");
return all.filter((one) => seen(one) && one.matches(
  "button, select, textarea, input:not([type=hidden]), iframe, a[href], svg[role=img], [role=slider],"
  + " [role=tab], [role=button], [role=group], [role=radiogroup], [role=tablist]"
) && one.tabIndex !== -2).filter((one) => {
  const root = one.getRootNode();
  const named = one.getAttribute("aria-label") || one.title || one.getAttribute("alt")
    || text(root, one.getAttribute("aria-labelledby") || "")
    || [...(one.labels || [])].map((label) => label.textContent).join("")
    || (one.matches("button, a, [role=tab], [role=button]") && one.textContent) || one.placeholder;
  return !String(named || "").trim();
}).map((one) => one.outerHTML.slice(0, 160));
