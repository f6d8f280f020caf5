// Keys of the whole page; "?" shows them.
import { one } from "./dom.js";

const typing = (target) => target.closest("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (command || event.altKey || typing(event.target)) return;
  const action = { "/": focusSearch, "?": help, n: follow("[data-key-new]"), e: follow("[data-key-edit]"), j: row(1), k: row(-1) }[event.key];
  if (action && action() !== false) event.preventDefault();
});

// The palette: what is typed narrows it, arrows walk, Enter takes the first or the one in focus.
const openPalette = () => {
  const dialog = one("#palette");
  if (!dialog) return focusSearch();
  const field = one("input", dialog);
  if (!dialog.open) dialog.showModal();
  field.value = "";
  field.focus();
  field.dispatchEvent(new Event("opened"));
};
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (!ctx.sourceElement.closest?.("#palette")) return;
  ctx.request.action += `${ctx.request.action.includes("?") ? "&" : "?"}at=${encodeURIComponent(location.pathname + location.search)}`;
});
document.addEventListener("keydown", (event) => {
  const dialog = event.target.closest?.("#palette");
  if (!dialog) return;
  const items = [...dialog.querySelectorAll(".palette-item")];
  if (event.key === "Enter" && event.target.matches("input")) {
    event.preventDefault();
    items[0]?.click();
  }
  if (!["ArrowDown", "ArrowUp"].includes(event.key) || !items.length) return;
  event.preventDefault();
  const at = items.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  at < 0 ? one("input", dialog).focus() : items[Math.min(at, items.length - 1)].focus();
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-palette]")) openPalette();
});

const focusSearch = () => {
  const field = one("#search-all");
  if (!field) return false;
  field.focus();
  field.select();
};
const help = () => {
  const dialog = one("#keys");
  if (!dialog) return false;
  dialog.showModal();
};
const follow = (selector) => () => {
  const link = one(selector);
  if (!link) return false;
  link.click();
};
const row = (step) => () => {
  const rows = [...document.querySelectorAll("tr[data-href]")];
  if (!rows.length) return false;
  const at = rows.indexOf(document.activeElement.closest?.("tr[data-href]"));
  rows[Math.min(rows.length - 1, Math.max(0, at + step))].querySelector("a")?.focus();
};

// Results of the global search: arrows walk, Escape leaves.
document.addEventListener("keydown", (event) => {
  const box = event.target.closest?.("#search-box");
  if (!box) return;
  const list = [...box.querySelectorAll(".search-results a")];
  if (event.key === "Escape") {
    one("#search-results").replaceChildren();
    event.target.blur();
  }
  if (!["ArrowDown", "ArrowUp"].includes(event.key) || !list.length) return;
  event.preventDefault();
  const at = list.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  at < 0 ? one("#search-all").focus() : list[Math.min(at, list.length - 1)].focus();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("#search-box")) one("#search-results")?.replaceChildren();
});
