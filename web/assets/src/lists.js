// Lists: click a row, choose rows, remember nothing that the address does not say.
import { all, each, on, one, say } from "./dom.js";

const inert = "a, button, input, label, select, summary, .dropdown-menu, [data-menu]";

on("click", "tr[data-href]", (event, row) => {
  if (event.target.closest(inert) || getSelection()?.toString()) return;
  if (event.ctrlKey || event.metaKey) open(row.dataset.href, "_blank", "noopener");
  else location.assign(row.dataset.href);
});
on("auxclick", "tr[data-href]", (event, row) => {
  if (event.button === 1 && !event.target.closest(inert)) open(row.dataset.href, "_blank", "noopener");
});

const boxes = () => all('#list input[name="id"]');
const tell = () => {
  const bar = one("#bulk");
  if (!bar) return;
  const chosen = boxes().filter((box) => box.checked);
  bar.hidden = !chosen.length;
  const number = one("[data-chosen]", bar);
  if (number) number.textContent = say("chosen").replace("{n}", chosen.length);
  const whole = one("[data-select-all]");
  if (whole) {
    whole.checked = chosen.length > 0 && chosen.length === boxes().length;
    whole.indeterminate = chosen.length > 0 && !whole.checked;
  }
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
on("change", "[data-select-all]", (_event, whole) => {
  boxes().forEach((box) => (box.checked = whole.checked));
  tell();
});
on("click", "[data-choose-none]", () => {
  boxes().forEach((box) => (box.checked = false));
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
