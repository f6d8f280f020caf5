// Lines edited in place: Enter goes down (and adds a line at the end), a block pasted from a spreadsheet fills cells.
import { all, csrf, each, make, on, one, say } from "./dom.js";
import { toast } from "./toasts.js";

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
    const links = new Map(); // address -> [[box, text]]
    for (const line of text.replace(/\r/g, "").replace(/\n$/, "").split("\n")) {
      at ??= add(grid, { focus: false });
      line.split("\t").forEach((value, i) => {
        const field = fields(at)[start + i];
        if (field) put(field, value.trim(), links);
      });
      at = at.nextElementSibling;
    }
    resolve(links).then(() => changed(grid));
    changed(grid);
  });
});

// A cell from a spreadsheet: numbers without their commas, choices by their words, links by number or title.
const put = (field, value, links) => {
  const box = field.closest("[data-lookup]");
  complain(field, "");
  if (box) {
    const address = box.dataset.lookup.replace("/lookup/", "/resolve/");
    if (value) links.set(address, [...(links.get(address) ?? []), [box, value]]);
    else box.dispatchEvent(new Event("lookup:drop"));
  } else if (field.matches("select")) {
    const option = [...field.options].find((o) => o.text.trim() === value || o.value === value);
    if (option) field.value = option.value;
    else complain(field, value);
  } else if (field.type === "checkbox") field.checked = !/^(|0|no|false|n|否|×)$/i.test(value);
  else field.value = field.inputMode === "decimal" || field.inputMode === "numeric" || field.type === "number" ? value.replace(/(\d),(?=\d{3})/g, "$1").replace(/%$/, "") : value;
};
const complain = (field, text) => {
  const cell = field.closest("td");
  all(":scope > .field-problem", cell).forEach((element) => element.remove());
  field.classList.toggle("is-invalid", Boolean(text));
  if (text) cell.append(make("div", { class: "field-problem" }, text));
};
const resolve = async (links) => {
  for (const [address, cells] of links) {
    const body = new URLSearchParams([...new Set(cells.map(([, text]) => text))].map((text) => ["text", text]));
    const answer = await fetch(address, { method: "POST", body, headers: { "X-CSRFToken": csrf(), "HX-Request": "true" } });
    const found = answer.ok ? await answer.json() : {};
    for (const [box, text] of cells) {
      const input = one("input[role=combobox]", box);
      if (found[text]?.id) box.dispatchEvent(new CustomEvent("lookup:hold", { detail: found[text] }));
      else complain(input, found[text]?.problem ?? say("failed"));
    }
  }
};

// Several records at once, a line for each: ticked in a dialog, over several searches.
on("click", "[data-pick]", async (_event, button) => {
  const grid = button.closest("[data-lines]");
  const dialog = one("#quick");
  const answer = await fetch(button.dataset.pick, { headers: { "HX-Request": "true" } });
  if (!answer.ok) return toast(say("failed"), { kind: "danger" });
  dialog.innerHTML = await answer.text(); // written and escaped by the server
  dialog.showModal();
  const list = one(".pick-list", dialog);
  const search = one("[data-pick-search]", dialog);
  const picked = new Map();
  search.focus();
  list.addEventListener("change", ({ target }) => (target.checked ? picked.set(target.value, target.dataset.title) : picked.delete(target.value)));
  let timer;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const found = await fetch(`${button.dataset.pick}?list=1&q=${encodeURIComponent(search.value)}`, { headers: { "HX-Request": "true" } });
      if (!found.ok) return;
      list.innerHTML = await found.text(); // as above
      all("input", list).forEach((input) => (input.checked = picked.has(input.value)));
    }, 150);
  });
  one("form", dialog).addEventListener("submit", (event) => {
    event.preventDefault();
    const empty = rows(grid).filter((row) => fields(row).every((f) => !f.value || f.defaultValue === f.value || f.matches("select")));
    for (const [id, title] of picked) {
      const row = empty.shift() ?? add(grid, { focus: false });
      queueMicrotask(() => setTimeout(() => lookup(row, button.dataset.field)?.dispatchEvent(new CustomEvent("lookup:hold", { detail: { id, title } }))));
    }
    dialog.close();
    if (picked.size) changed(grid);
  });
});
const lookup = (row, field) => one(`[data-lookup$="/lookup/${CSS.escape(field)}"]`, row);

// Lines that say the same become one; what is to be added up is.
on("click", "[data-combine]", (_event, button) => {
  const grid = button.closest("[data-lines]");
  const of = (row, name) => all("input[name], select[name], textarea[name]", row).find((f) => f.name.endsWith(`.${name}`));
  const [same, sum] = [grid.dataset.same.split(" "), grid.dataset.sum.split(" ")];
  const first = new Map();
  let gone = 0;
  for (const row of rows(grid)) {
    const key = same.map((name) => of(row, name)?.value ?? "").join("\n");
    const kept = first.get(key);
    if (!key.trim() || !kept) {
      first.set(key, row);
      continue;
    }
    for (const name of sum) {
      const [into, from] = [of(kept, name), of(row, name)];
      if (into && from) into.value = plus(into.value, from.value);
    }
    row.remove();
    gone += 1;
  }
  number(grid);
  if (gone) changed(grid);
  toast(say("combined").replace("{n}", gone), { kind: gone ? "success" : "info" });
});
// Exact: as whole numbers of the finer scale.
const plus = (a, b) => {
  const scale = Math.max(...[a, b].map((v) => (v.split(".")[1] ?? "").length));
  const whole = (v) => BigInt(v.replace(/[^0-9.-]/g, "").split(".").map((part, i) => (i ? part.padEnd(scale, "0") : part || "0")).join("") + (v.includes(".") ? "" : "0".repeat(scale)));
  const total = whole(a || "0") + whole(b || "0");
  if (!scale) return String(total);
  const digits = String(total < 0n ? -total : total).padStart(scale + 1, "0");
  return `${total < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
};
