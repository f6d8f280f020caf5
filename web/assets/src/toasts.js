// Short messages in a live region. The server asks for one with HX-Trigger: {"toast": {...}} or <template data-toast>.
import { each, icon, make, one, post, say } from "./dom.js";

const signs = { success: "circle-check", danger: "alert-circle", warning: "alert-triangle", info: "info-circle" };

export const toast = (message, { kind = "success", undo, link, seconds = undo ? 10 : 5 } = {}) => {
  const place = one("#toasts");
  if (!place) return;
  const box = make("div", { class: `toast-note toast-${kind}`, role: kind === "danger" ? "alert" : "status" });
  box.append(icon(signs[kind] ?? "info-circle"), make("span", { class: "toast-text" }, message));
  const close = () => box.remove();
  if (undo) {
    const button = make("button", { type: "button", class: "btn btn-sm btn-ghost-light" }, say("undo"));
    button.addEventListener("click", async () => {
      button.disabled = true;
      const answer = await post(undo);
      close();
      if (answer.ok) {
        const next = answer.headers.get("X-Next");
        next ? location.assign(next) : location.reload();
      } else toast(say("failed"), { kind: "danger" });
    });
    box.append(button);
  }
  if (link) box.append(make("a", { class: "btn btn-sm btn-ghost-light", href: link[1] }, link[0]));
  const cross = make("button", { type: "button", class: "toast-close", "aria-label": say("close") }, icon("x"));
  cross.addEventListener("click", close);
  box.append(cross);
  place.append(box);
  if (seconds) {
    let timer = setTimeout(close, seconds * 1000);
    box.addEventListener("mouseenter", () => clearTimeout(timer));
    box.addEventListener("mouseleave", () => (timer = setTimeout(close, 2000)));
  }
};

document.addEventListener("toast", ({ detail }) => toast(detail.message, detail));
// A dialog that the server wants answered next, such as the next step of what was just closed.
const askFirst = (address) => {
  if (!one("#action-dialog")) document.body.append(make("dialog", { id: "action-dialog", class: "ask action-dialog", "data-swapped": "" }));
  htmx.ajax("GET", address, { target: "#action-dialog", swap: "innerHTML", headers: { "HX-Target": "dialog#action-dialog" } });
};
document.addEventListener("ask-first", ({ detail }) => askFirst(detail.address));
each("template[data-toast]", (element) => {
  if (element.dataset.ask) askFirst(element.dataset.ask);
  else toast(element.dataset.toast, { kind: element.dataset.kind, undo: element.dataset.undo });
  element.remove();
});
