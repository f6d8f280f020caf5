// Quick create in a dialog: from the header, the palette, or a look-up that then holds the new record.
import { all, csrf, on, one, say } from "./dom.js";
import { toast } from "./toasts.js";

let chosen; // what is to hold the new record: (id, title) => void
const dialog = () => one("#quick");

export const openQuick = async (address, hold) => {
  const box = dialog();
  const answer = await fetch(address, { headers: { "HX-Request": "true" } });
  if (!answer.ok) return toast(say("failed"), { kind: "danger" });
  chosen = hold;
  await fill(box, answer);
};

const fill = async (box, answer) => {
  box.innerHTML = await answer.text(); // written and escaped by the server
  if (!box.open) box.showModal();
  const wrong = one(".is-invalid input, input.is-invalid, select.is-invalid, textarea.is-invalid", box);
  const fields = all("input:not([type=hidden]):not([readonly]):not(:disabled), select:not(:disabled), textarea", one(".fields", box));
  (wrong ?? fields.find((field) => !field.value) ?? fields[0])?.focus();
};

on("click", "[data-quick]", (event, link) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  link.closest("dialog")?.close();
  link.closest(".dropdown-menu")?.classList.remove("show");
  openQuick(link.dataset.quick);
});

// Enter saves, Ctrl+Enter saves and begins the next one.
document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("[data-quick-form]");
  if (!form || event.key !== "Enter" || event.defaultPrevented || event.target.matches("textarea, button, a")) return;
  event.preventDefault();
  event.stopPropagation();
  const again = (event.ctrlKey || event.metaKey) && one("[data-save-new]", form);
  form.requestSubmit(again || one("[data-save]", form));
});

on("submit", "[data-quick-form]", async (event, form) => {
  event.preventDefault();
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  const box = dialog();
  const body = new FormData(form, event.submitter);
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(body),
      headers: { "X-CSRFToken": csrf(), "HX-Request": "true" },
    });
    if (answer.status === 422) return fill(box, answer);
    if (!answer.ok) return toast(say("failed"), { kind: "danger" });
    const made = await answer.json();
    if (chosen) {
      chosen(made.id, made.title);
      box.close();
    } else if (event.submitter?.value === "new") {
      toast(made.title, { link: [say("open"), made.address] });
      await openQuick(form.action);
    } else location.assign(made.address);
  } finally {
    delete form.dataset.busy;
  }
});

// What has been typed goes along to the full form.
on("click", "[data-full]", (_event, link) => {
  const typed = [...new FormData(link.closest("form"))].filter(([name, value]) => value && !["csrf_token", "select"].includes(name));
  link.search = new URLSearchParams(typed).toString();
});
document.addEventListener("close", (event) => {
  if (event.target !== dialog()) return;
  chosen = undefined;
  event.target.replaceChildren();
}, true);
