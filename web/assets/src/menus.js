// Drop-down menus, the side bar on a phone, and small switches of the page.
import { all, on, one } from "./dom.js";

const shut = (except) =>
  all(".dropdown-menu.show").forEach((menu) => {
    if (menu === except) return;
    menu.classList.remove("show");
    menu.dispatchEvent(new CustomEvent("menu-closed", { bubbles: true }));
    menu.parentElement.querySelector("[data-menu]")?.setAttribute("aria-expanded", "false");
  });

const items = (menu) => all("a, button, input, select", menu).filter((e) => !e.disabled && e.offsetParent);

on("click", "[data-menu]", (event, button) => {
  event.preventDefault();
  const menu = one(".dropdown-menu", button.parentElement);
  const open = !menu.classList.contains("show");
  shut(menu);
  menu.classList.toggle("show", open);
  if (!open) menu.dispatchEvent(new CustomEvent("menu-closed", { bubbles: true }));
  button.setAttribute("aria-expanded", String(open));
  if (open) {
    menu.classList.toggle("up", menu.getBoundingClientRect().bottom > innerHeight && button.getBoundingClientRect().top > menu.offsetHeight);
    if (event.detail === 0 || menu.dataset.focus !== undefined) items(menu)[0]?.focus();
  }
});

document.addEventListener("click", (event) => {
  if (!event.target.closest(".dropdown-menu, [data-menu]")) shut();
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.(".dropdown-menu.show");
  if (event.key === "Escape") {
    const opener = one('[data-menu][aria-expanded="true"]');
    shut();
    document.body.classList.remove("side-open");
    if (menu) opener?.focus();
  }
  if (!menu || !["ArrowDown", "ArrowUp"].includes(event.key) || event.target.matches("input, select")) return;
  event.preventDefault();
  const list = items(menu);
  const next = list.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  list[(next + list.length) % list.length]?.focus();
});

on("click", "[data-toggle-side]", (event) => {
  event.preventDefault();
  const open = document.body.classList.toggle("side-open");
  if (open) one("#side a")?.focus();
});
on("click", "#shade", () => document.body.classList.remove("side-open"));

on("click", "[data-tab]", (event, tab) => {
  event.preventDefault();
  const group = tab.closest("[data-tabs]");
  select(group, tab);
  history.replaceState(history.state, "", tab.getAttribute("href"));
});

const select = (group, tab) => {
  all("[data-tab]", group).forEach((other) => {
    const on = other === tab;
    other.classList.toggle("active", on);
    other.setAttribute("aria-selected", String(on));
    other.tabIndex = on ? 0 : -1;
    const panel = document.getElementById(other.dataset.tab);
    if (panel) panel.hidden = !on;
    if (on && panel) panel.dispatchEvent(new CustomEvent("shown", { bubbles: true }));
  });
};

on("keydown", "[data-tab]", (event, tab) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const tabs = all("[data-tab]", tab.closest("[data-tabs]"));
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
  next.focus();
  next.click();
});

// A problem inside a hidden tab opens that tab.
export const reveal = (element) => {
  const panel = element.closest("[role=tabpanel][hidden]");
  const tab = panel && one(`[data-tab="${panel.id}"]`);
  if (tab) select(tab.closest("[data-tabs]"), tab);
};

on("change", "[data-submit-on-change]", (_event, input) => input.form.requestSubmit());

on("click", "[data-print]", () => print());
