"""Colours, type and widgets of the desk, light and dark: one place for every view.

Colours are custom properties, which Panel's parts inherit through their shadow roots:
``--paper`` (ground), ``--panel`` (ground of what stands beside), ``--ink`` (text),
``--soft`` (lesser text), ``--rule``, ``--rule-strong`` (lines), ``--main`` (what is served,
what is chosen), ``--gap`` (who is not), ``--accent`` (what a scenario adds), ``--warn-…``,
``--bad``, ``--good``, ``--hover``, ``--focus``.
"""

FONT = '"Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif'

PAGE = (
    ":host { --font: " + FONT + "; --paper: #fff; --panel: #fafaf9; --ink: #222; --soft: #5c5c5c;"
    " --rule: #e0e0dd; --rule-strong: #c4c4c1; --main: #2166ac; --on-main: #fff; --gap: #b23f2d;"
    " --bar: #a9c6e2; --bar-back: #f0f0ee; --gap-bar: #efb8a6; --accent: #b5179e; --hover: #eef3f8;"
    " --chosen: #dce9f5; --focus: #111; --bad: #a33a22; --bad-back: #fbe6e1; --bad-rule: #d6604d;"
    " --good: #2a6b3c; --warn-back: #fff3cd; --warn-ink: #5f4700; --warn-rule: #e0c56a;"
    " --design-primary-color: #2166ac; --desk-font: var(--font);"
    " position: relative; height: 100vh; min-width: 0 !important;"
    " background: var(--paper); color: var(--ink);"
    " font-family: var(--font); overflow: hidden; }"
    ":host(.dark) { --paper: #1e2329; --panel: #191d22; --ink: #e8e8e6; --soft: #a8acb1;"
    " --rule: #333940; --rule-strong: #4a525b; --main: #6aa9e6; --on-main: #0d141b; --gap: #f49a85;"
    " --bar: #2f5b86; --bar-back: #2a3037; --gap-bar: #7c3b2c; --accent: #ff7ae5; --hover: #2a323b;"
    " --chosen: #2b3f54; --focus: #fff; --bad: #f49a85; --bad-back: #43251d; --bad-rule: #a4523d;"
    " --good: #7cc592; --warn-back: #443a17; --warn-ink: #f3dfa0; --warn-rule: #7f6d2d;"
    " --design-primary-color: #6aa9e6; color-scheme: dark; }"
)

FILL = ":host { min-height: 0; min-width: 0 !important; }"
"""For what fills its place: Panel would keep it as wide as its parts were at first."""

SIDES = (
    FILL + "@media (max-width: 900px) { :host { display: grid !important;"
    " grid-template: minmax(0, 9fr) minmax(0, 11fr) / auto minmax(0, 1fr); } }"
)
"""For a page of a view: on a tablet held upright what stands at the right goes below."""

LEFT = (
    ":host { border-right: 1px solid var(--rule); padding: 2px 12px 8px; background: var(--panel);"
    " overflow-y: auto; overflow-x: hidden; flex: none !important; }"
    "@media (max-width: 1100px) { :host { width: 178px !important; padding: 2px 9px 8px; } }"
    "@media (max-width: 900px) { :host { width: 194px !important; scrollbar-width: thin; } }"
)
RIGHT = (
    ":host { border-left: 1px solid var(--rule); min-height: 0; flex: none !important;"
    " background: var(--paper); width: clamp(428px, 32vw, 580px) !important; }"
    "@media (max-width: 1100px) { :host { width: 396px !important; } }"
    "@media (max-width: 900px) { :host { width: auto !important; grid-column: 1 / -1;"
    " border-left: 0; border-top: 1px solid var(--rule); } }"
)
BAR = (
    ":host { padding: 6px 10px; min-width: 0 !important; border-bottom: 1px solid var(--rule);"
    " background: var(--paper); }"
)

TEXT = """
:host { font: 13px/1.45 var(--font); color: var(--ink); }
.label { font-weight: 600; margin: 10px 0 3px; }
.hint { font-size: 11.5px; color: var(--soft); }
.grave, .mild { padding: 7px 14px; display: flex; gap: 10px; overflow-wrap: anywhere; }
.grave { background: var(--bad-back); color: var(--bad); border-bottom: 1px solid var(--bad-rule); }
.mild { background: var(--warn-back); color: var(--warn-ink);
  border-bottom: 1px solid var(--warn-rule); }
"""

CONTROL = """
:host { font: 13px/1.45 var(--font); color: var(--ink); }
label { font: 13px/1.35 var(--font); padding: 3px 0; cursor: pointer; display: flex;
  align-items: flex-start; gap: 6px; white-space: normal; color: var(--ink); }
label input { margin: 2px 0 0; flex: none; accent-color: var(--main); }
.bk-input-group > label { font-weight: 600; padding: 8px 0 3px; }
select.bk-input, input.bk-input { font: 13px/1.4 var(--font); height: 30px; color: var(--ink);
  background-color: var(--paper); border: 1px solid var(--rule-strong); border-radius: 4px; }
select.bk-input { padding: 3px 4px; appearance: auto !important;
  background-image: none !important; }
select.bk-input:focus-visible, input.bk-input:focus-visible { outline: 2px solid var(--focus); }
@media (max-width: 1100px) {
  select:not([multiple]).bk-input { padding-left: 2px; padding-right: 0; } }
select.bk-input option { color: var(--ink); background: var(--paper); }
"""

SWITCH = """
:host { font: 13px/1.45 var(--font); }
.bk-btn { font: 13px/1.4 var(--font); padding: 4px 11px; }
.bk-btn.bk-btn-default { background: var(--paper); border: 1px solid var(--rule-strong);
  color: var(--ink); }
.bk-btn.bk-btn-default:hover { background: var(--hover); }
.bk-btn-group .bk-btn.bk-btn-default.bk-active { background: var(--main); color: var(--on-main);
  border-color: var(--main); box-shadow: none; }
.bk-btn:focus-visible { outline: 2px solid var(--focus); outline-offset: 1px; z-index: 1; }
"""

# Panel's own look of a plain button outweighs one rule on it.
BUTTON = """
:host(.solid) .bk-btn.bk-btn-default.bk-btn:not(.bk-active) { background: var(--paper);
  color: var(--ink); border: 1px solid var(--rule-strong); }
:host(.solid) .bk-btn.bk-btn-default.bk-btn:not(.bk-active):hover { background: var(--hover); }
:host(.solid) .bk-btn.bk-btn-default.bk-btn:not(.bk-active):disabled { color: var(--soft);
  opacity: .6; }
:host(.solid) .bk-btn.bk-btn-primary.bk-btn { background: var(--main); color: var(--on-main);
  border: 1px solid var(--main); }
"""
