// Lists: click a row, choose rows, remember nothing that the address does not say.
import htmx from "htmx.org/dist/htmx.esm.js";
import { all, each, icon, make, on, one, say } from "./dom.js";
import { toast } from "./toasts.js";

const inert = "a, button, input, label, select, summary, .dropdown-menu, [data-menu], .c-check";

on("click", "tr[data-href]", (event, row) => {
  if (event.target.closest(inert) || getSelection()?.toString()) return;
  if (event.ctrlKey || event.metaKey) open(row.dataset.href, "_blank", "noopener");
  else if (one("#peek") && matchMedia("(min-width: 1000px)").matches && row.closest("#list")) peekSoon(row);
  else location.assign(row.dataset.href);
});
on("auxclick", "tr[data-href]", (event, row) => {
  if (event.button === 1 && !event.target.closest(inert)) open(row.dataset.href, "_blank", "noopener");
});

// What is cut off is told whole while the pointer is over it.
on("pointerover", ".records td, .records th, .related td, .figure dd, .recent-text, .side-link span", (event, place) => {
  const cut = place.scrollWidth > place.clientWidth;
  if (cut && !place.title) {
    place.title = place.innerText.trim();
    place.dataset.cut = "1";
  } else if (!cut && place.dataset.cut) {
    place.removeAttribute("title");
    delete place.dataset.cut;
  }
});

const boxes = () => all('#list input[name="id"]');
const tell = () => {
  const bar = one("#bulk");
  if (!bar) return;
  const chosen = boxes().filter((box) => box.checked);
  bar.hidden = !chosen.length;
  const everything = one("[data-all]", bar);
  const whole_page = chosen.length > 0 && chosen.length === boxes().length;
  if (everything && !whole_page) everything.value = "";
  const more = one("[data-choose-all]", bar);
  if (more) more.hidden = !whole_page || everything.value === "1";
  const number = one("[data-chosen]", bar);
  if (number) number.textContent = everything?.value === "1" ? more.textContent : say("chosen").replace("{n}", chosen.length);
  all("[data-select-all], [data-select-page]").forEach((whole) => {
    whole.checked = whole_page;
    whole.indeterminate = chosen.length > 0 && !whole_page;
  });
  boxes().forEach((box) => box.closest("tr").classList.toggle("table-active", box.checked));
};

let last;
on("click", '#list input[name="id"]', (event, box) => {
  const list = boxes();
  if (event.shiftKey && last && list.includes(last)) {
    const [from, to] = [list.indexOf(last), list.indexOf(box)].sort((a, b) => a - b);
    list.slice(from, to + 1).forEach((other) => (other.checked = box.checked));
  }
  last = box;
  tell();
});
// The place around a box counts as the box: beside it, a thumb would open the record instead.
on("click", "#list td.c-check", (event, place) => {
  if (event.target === place) one("input", place).click();
});
on("change", "[data-select-all], [data-select-page]", (_event, whole) => {
  boxes().forEach((box) => (box.checked = whole.checked));
  tell();
});
on("click", "[data-choose-none]", () => {
  boxes().forEach((box) => (box.checked = false));
  tell();
});
on("click", "[data-choose-all]", () => {
  one("#bulk [data-all]").value = "1";
  tell();
});
document.addEventListener("htmx:after:swap", tell);

// A filter chip with a value loses it by its cross.
on("click", "[data-clear]", (event, cross) => {
  event.preventDefault();
  const form = cross.closest("form") ?? one("#filters");
  for (const name of cross.dataset.clear.split(" ")) {
    all(`[name="${CSS.escape(name)}"]`, form).forEach((input) => {
      if (input.matches("[type=checkbox], [type=radio]")) input.checked = false;
      else input.value = "";
    });
  }
  form.requestSubmit();
});

// A stored scroll place makes "back" return to where one was.
each("#list .table-responsive", (box) => {
  box.addEventListener("scroll", () => box.classList.toggle("scrolled", box.scrollLeft > 2), { passive: true });
});
// What stands above the list is not swapped with it: it goes by the address as it is now.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.matches("[data-columns]")) ctx.request.action = ctx.request.action.split("?")[0] + location.search;
});
on("click", "[data-export]", (_event, link) => {
  const address = new URLSearchParams(location.search);
  address.set("as", link.dataset.export);
  link.href = `${link.pathname}?${address}`;
});
// Empty filters stay out of the address.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (!ctx.sourceElement.matches("#filters")) return;
  const { body } = ctx.request;
  for (const [name, value] of [...body]) if (value === "") body.delete(name);
  ctx.request.action = ctx.request.action.split("?")[0];
});

// Filters: a choice that is one of several waits until its menu closes, everything else applies at once.
on("change", "#filters", (event, form) => {
  const { target } = event;
  if (target.matches("textarea") || (target.matches("[role=combobox]") && !target.closest("[data-multiple]"))) return;
  if (target.matches("[type=checkbox]") || target.closest("[data-multiple]")) form.dataset.waiting = "1";
  else form.requestSubmit();
});
on("menu-closed", "#filters", (_event, form) => {
  if (form.dataset.waiting) form.requestSubmit();
});
let typing;
on("input", '#filters input[type="search"]', (_event, input) => {
  clearTimeout(typing);
  typing = setTimeout(() => input.form.requestSubmit(), 300);
});

on("click", "[data-more-filters]", (_event, button) => {
  const open = button.form.classList.toggle("all-filters");
  button.setAttribute("aria-expanded", String(open));
});

// Columns: widths are kept in the address, so that a view keeps them, too.
const columnsOf = () =>
  all("#list thead th[data-column]").map((th) => {
    const { column, width, frozen } = th.dataset;
    return `${column}${width ? `*${width}` : ""}${frozen === undefined ? "" : "!"}`;
  });
// A frozen column stands behind those frozen before it, as long as they leave room for others to scroll.
const placeFrozen = () =>
  all("#list table.records").forEach((table) => {
    const room = table.parentElement.clientWidth * 0.6;
    let left = table.querySelector("thead .c-check")?.getBoundingClientRect().width ?? 0;
    table.style.setProperty("--check", `${left}px`);
    all("thead th[data-frozen]", table).forEach((th, place) => {
      const fits = place === 0 || left + th.getBoundingClientRect().width <= room;
      table.style.setProperty(`--frozen-${place + 1}`, fits ? `${left}px` : "auto");
      if (fits) left += th.getBoundingClientRect().width;
    });
  });
const applyWidths = () => {
  all("#list thead th[data-width]").forEach((th) => {
    const width = th.offsetWidth ? `${th.dataset.width}px` : ""; // cards have no columns
    th.style.width = th.style.minWidth = th.style.maxWidth = width;
    all(`tbody tr > :nth-child(${th.cellIndex + 1})`, th.closest("table")).forEach((cell) => (cell.style.maxWidth = width));
  });
  placeFrozen();
};
addEventListener("resize", applyWidths);
const showColumns = (keys) => {
  const address = new URL(location.href);
  address.searchParams.delete("col");
  address.searchParams.delete("page");
  address.searchParams.set("cols", keys.join(","));
  htmx.ajax("GET", address.pathname + address.search, { target: "#list", swap: "outerHTML", headers: { "HX-Target": "div#list" } });
  history.pushState({ htmx: true }, "", address);
};
document.addEventListener("htmx:after:swap", applyWidths);
applyWidths();

let pulled;
on("pointerdown", "[data-grip]", (event, grip) => {
  event.preventDefault();
  const th = grip.closest("th");
  pulled = { th, from: event.clientX, width: th.getBoundingClientRect().width };
  grip.setPointerCapture(event.pointerId);
});
on("pointermove", "[data-grip]", (event) => {
  if (!pulled) return;
  const width = Math.max(60, Math.round(pulled.width + event.clientX - pulled.from));
  pulled.th.dataset.width = width;
  applyWidths();
});
on("pointerup", "[data-grip]", () => {
  if (!pulled) return;
  pulled = undefined;
  showColumns(columnsOf());
});
on("click", "[data-grip]", (event) => event.stopPropagation());

// The chooser: arrows and dragging move a column, the search narrows what is offered.
on("click", "[data-move]", (_event, button) => {
  const item = button.closest("li");
  if (button.dataset.move === "-1") item.previousElementSibling?.before(item);
  else item.nextElementSibling?.after(item);
  button.focus();
});
on("click", "[data-freeze]", (_event, button) => {
  const on = button.getAttribute("aria-pressed") !== "true";
  const box = button.closest("li").querySelector("[name=col]");
  button.setAttribute("aria-pressed", String(on));
  box.value = box.value.replace(/!$/, "") + (on ? "!" : "");
  if (on) box.checked = true;
});
on("input", "[data-filter-columns]", (_event, input) => {
  const wanted = input.value.trim().toLowerCase();
  const form = input.closest("form");
  all("li", form).forEach((item) => (item.hidden = !item.dataset.label.toLowerCase().includes(wanted)));
  all("details", form).forEach((group) => (group.open = wanted !== "" && all("li:not([hidden])", group).length > 0));
});
let dragged;
on("dragstart", "[data-sortable] li", (event, item) => {
  dragged = item;
  event.dataTransfer.effectAllowed = "move";
});
on("dragover", "[data-sortable] li", (event, item) => {
  if (!dragged || item === dragged) return;
  event.preventDefault();
  const { top, height } = item.getBoundingClientRect();
  if (event.clientY < top + height / 2) item.before(dragged);
  else item.after(dragged);
});
on("dragend", "[data-sortable] li", () => (dragged = undefined));
on("submit", "[data-columns-form]", (_event, form) => form.closest("dialog")?.close());

// The side panel: a click shows a record beside its list, arrows go on to its neighbours, Escape closes.
let waiting;
const peekSoon = (row) => {
  // a double click edits a cell instead
  clearTimeout(waiting);
  waiting = setTimeout(() => showPeek(row), 220);
};
const showPeek = (row) => {
  const panel = one("#peek");
  all("#list tr.is-peeked").forEach((other) => other.classList.remove("is-peeked"));
  row.classList.add("is-peeked");
  panel.dataset.row = row.dataset.href;
  panel.hidden = false;
  htmx.ajax("GET", row.dataset.href, { target: "#peek", swap: "innerHTML", headers: { "HX-Target": "aside#peek" } });
};
const peeked = () => one(`#list tr[data-href="${CSS.escape(one("#peek")?.dataset.row ?? "")}"]`);
const closePeek = () => {
  const panel = one("#peek");
  if (!panel || panel.hidden) return false;
  panel.hidden = true;
  panel.replaceChildren();
  const row = peeked();
  row?.classList.remove("is-peeked");
  row?.querySelector("a")?.focus();
  return true;
};
const peekBeside = (step) => {
  const row = peeked();
  const next = step < 0 ? row?.previousElementSibling : row?.nextElementSibling;
  if (!next?.dataset.href) return;
  next.scrollIntoView({ block: "nearest" });
  showPeek(next);
};
on("click", "[data-peek]", (_event, button) => peekBeside(Number(button.dataset.peek)));
on("click", "[data-peek-close]", closePeek);
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
  if (event.key === "Escape") closePeek();
  else if (one("#peek")?.hidden === false && ["ArrowDown", "ArrowUp"].includes(event.key)) {
    event.preventDefault();
    peekBeside(event.key === "ArrowUp" ? -1 : 1);
  }
});

// Cells: a double click, or F2 in a row, edits in place; Enter saves, Tab saves and goes on, Escape leaves all as it was.
const heads = () => all("#list thead th");
const openCell = (cell) => {
  const row = cell.closest("tr");
  const head = heads()[[...row.children].indexOf(cell)];
  if (cell.querySelector("[data-cell]")) return;
  if (!head?.matches("[data-editable]")) {
    if (head?.dataset.column && one("#list thead [data-editable]")) toast(say("not_editable").replace("{name}", head.innerText.trim()));
    return;
  }
  clearTimeout(waiting);
  cell.dataset.before = cell.innerHTML;
  cell.classList.add("is-edited");
  ask(cell, `${row.dataset.href}/cell/${head.dataset.column}${location.search}`);
};
const ask = (cell, address) =>
  htmx.ajax("GET", address, { target: cell, swap: "innerHTML" }).then(() => {
    const input = cell.querySelector("input:not([type=hidden]), select, textarea");
    input?.focus();
    input?.select?.();
  });
// Cells that can be edited show it under the pointer; others, what formulas compute say, do not.
on("pointerover", "#list tbody td[data-label]", (_event, cell) => {
  const editable = cell.closest("table").tHead?.rows[0]?.cells[cell.cellIndex]?.matches("[data-editable]");
  cell.classList.toggle("can-edit", Boolean(editable));
});
const closeCell = (cell) => {
  cell.innerHTML = cell.dataset.before;
  delete cell.dataset.before;
  cell.classList.remove("is-edited");
  htmx.process(cell);
};
let goOn;
on("dblclick", "#list tbody td", (event, cell) => {
  if (event.target.closest(inert)) return;
  event.preventDefault();
  getSelection()?.removeAllRanges();
  openCell(cell);
});
on("click", "[data-cell-cancel]", (_event, button) => closeCell(button.closest("td, dd")));
on("keydown", "#list tbody tr", (event, row) => {
  const cell = event.target.closest("td");
  const editing = cell?.querySelector("[data-cell]");
  if (event.key === "F2" && !editing) {
    const places = heads();
    const first = [...row.children].find((_td, place) => places[place]?.matches("[data-editable]"));
    if (first) openCell(first);
  } else if (editing && event.key === "Escape") {
    event.stopPropagation();
    closeCell(cell);
  } else if (editing && event.key === "Tab" && editing.matches("form")) {
    event.preventDefault();
    const places = heads();
    const step = event.shiftKey ? -1 : 1;
    let place = [...row.children].indexOf(cell) + step;
    while (places[place] && !places[place].matches("[data-editable]")) place += step;
    goOn = places[place] ? { href: row.dataset.href, place } : undefined;
    editing.requestSubmit();
  }
});
document.addEventListener("htmx:after:swap", () => {
  if (!goOn) return;
  const { href, place } = goOn;
  const row = one(`#list tr[data-href="${CSS.escape(href)}"]`);
  if (!row || row.querySelector("[data-cell]")) return;
  goOn = undefined;
  openCell(row.children[place]);
});

// On a record's page, too: the pencil beside a value or a double click edits it, Escape leaves it as it was.
each("dd[data-fact]", (fact) => {
  const term = fact.previousElementSibling;
  const label = term.firstChild.textContent;
  const pencil = make("button", { type: "button", class: "fact-edit", "aria-label": `${say("edit")}: ${label}`, title: say("edit") });
  pencil.append(icon("pencil"));
  term.append(pencil);
});
const openFact = (fact) => {
  if (fact.querySelector("[data-cell]")) return;
  fact.dataset.before = fact.innerHTML;
  fact.classList.add("is-edited");
  ask(fact, `${one("#record-head").getAttribute("hx-get")}/cell/${fact.dataset.fact}?at=record`);
};
on("click", ".fact-edit", (_event, pencil) => openFact(one("dd", pencil.closest(".fact"))));
on("dblclick", "dd[data-fact]", (event, fact) => {
  if (!event.target.closest(inert)) openFact(fact);
});
on("keydown", "dd[data-fact]", (event, fact) => {
  if (event.key !== "Escape" || !fact.querySelector("[data-cell]")) return;
  event.stopPropagation();
  closeCell(fact);
  one(".fact-edit", fact.parentElement)?.focus();
});
// Once it is saved, whoever works by keyboard is where they were.
let saved;
on("submit", "dd[data-fact] form", (_event, form) => (saved = form.closest("dd").dataset.fact));
document.addEventListener("htmx:after:swap", () =>
  setTimeout(() => {
    const fact = saved && one(`dd[data-fact="${saved}"]`);
    if (!fact || fact.querySelector("[data-cell]") || document.activeElement !== document.body) return;
    one(".fact-edit", fact.parentElement)?.focus();
  }),
);

// The tab one is on is in sight, however many stand before it.
for (const tab of all(".view-tabs > .active")) {
  const row = tab.parentElement;
  row.scrollLeft += tab.getBoundingClientRect().left - row.getBoundingClientRect().left - 48;
}
