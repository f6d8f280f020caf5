// Lines edited in place: Enter goes down (and adds a line at the end), a block pasted from a spreadsheet fills cells.
import { all, each, on, one } from "./dom.js";

const rows = (grid) => all("tbody > tr", grid);
const fields = (row) => all("input:not([type=hidden]):not([readonly]):not(:disabled), select:not(:disabled), textarea", row);

const add = (grid, { focus = true } = {}) => {
  const template = one("template", grid);
  const next = Number(grid.dataset.next);
  grid.dataset.next = next + 1;
  const holder = document.createElement("tbody");
  holder.innerHTML = template.innerHTML.replaceAll("__i__", next);
  const row = holder.firstElementChild;
  one("tbody", grid).append(row);
  one(".lines-empty", grid)?.setAttribute("hidden", "");
  number(grid);
  if (focus) fields(row)[0]?.focus();
  changed(grid);
  return row;
};
const number = (grid) => rows(grid).forEach((row, i) => { const cell = one("[data-number]", row); if (cell) cell.textContent = i + 1; });
const changed = (grid) => grid.dispatchEvent(new Event("change", { bubbles: true }));

on("click", "[data-add-line]", (_event, button) => add(button.closest("[data-lines]")));
on("click", "[data-remove-line]", (_event, button) => remove(button.closest("tr")));

const remove = (row) => {
  const grid = row.closest("[data-lines]");
  const neighbour = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  number(grid);
  changed(grid);
  (neighbour ? fields(neighbour)[0] : one("[data-add-line]", grid))?.focus();
};

each("[data-lines]", (grid) => {
  number(grid);
  grid.addEventListener("keydown", (event) => {
    const row = event.target.closest("tbody > tr");
    if (!row) return;
    const column = fields(row).indexOf(event.target);
    const go = (other) => fields(other)[column]?.focus();
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.target.matches("textarea, button")) {
      event.preventDefault();
      row.nextElementSibling ? go(row.nextElementSibling) : add(grid);
    } else if (event.key === "Delete" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      remove(row);
    } else if (event.altKey && ["ArrowUp", "ArrowDown"].includes(event.key)) {
      event.preventDefault();
      const other = event.key === "ArrowUp" ? row.previousElementSibling : row.nextElementSibling;
      if (other) {
        event.key === "ArrowUp" ? other.before(row) : other.after(row);
        number(grid);
        event.target.focus();
        changed(grid);
      }
    } else if (["ArrowUp", "ArrowDown"].includes(event.key) && event.target.matches("input:not([type=number]):not([role=combobox]), input[inputmode]")) {
      const other = event.key === "ArrowUp" ? row.previousElementSibling : row.nextElementSibling;
      if (other) {
        event.preventDefault();
        go(other);
      }
    }
  });
  grid.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text/plain");
    const row = event.target.closest("tbody > tr");
    if (!row || !/[\t\n]/.test(text.trimEnd())) return;
    event.preventDefault();
    const start = fields(row).indexOf(event.target);
    let at = row;
    for (const line of text.replace(/\r/g, "").replace(/\n$/, "").split("\n")) {
      at ??= add(grid, { focus: false });
      line.split("\t").forEach((value, i) => {
        const field = fields(at)[start + i];
        if (!field || field.matches("[role=combobox]")) return;
        if (field.matches("select")) field.value = [...field.options].find((o) => o.text.trim() === value.trim())?.value ?? field.value;
        else field.value = value.trim();
      });
      at = at.nextElementSibling;
    }
    changed(grid);
  });
});
