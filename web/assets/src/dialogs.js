// Questions in a <dialog> instead of the browser's own window, and the preview panel at the side.
import { make, on, one, say } from "./dom.js";

export const ask = (question, { danger = false } = {}) =>
  new Promise((resolve) => {
    const dialog = make("dialog", { class: "ask", "aria-label": question });
    const yes = make("button", { class: `btn ${danger ? "btn-danger" : "btn-primary"}`, value: "yes" }, say("yes"));
    const no = make("button", { class: "btn", value: "no" }, say("cancel"));
    const form = make("form", { method: "dialog" }, make("p", {}, question), make("div", { class: "ask-buttons" }, no, yes));
    dialog.append(form);
    document.body.append(dialog);
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
    dialog.showModal();
    yes.focus();
  });

document.addEventListener("htmx:confirm", async (event) => {
  event.preventDefault();
  const { ctx, issueRequest, dropRequest } = event.detail;
  (await ask(ctx.confirm, { danger: ctx.sourceElement.matches(".btn-danger, .text-danger") })) ? issueRequest() : dropRequest();
});

on("submit", "form[data-ask]", async (event, form) => {
  if (form.dataset.sure) return;
  event.preventDefault();
  const submitter = event.submitter;
  if (await ask(form.dataset.ask, { danger: form.matches("[data-danger]") })) {
    form.dataset.sure = "1";
    form.requestSubmit(submitter);
  }
});

on("click", "[data-dialog]", (event, button) => {
  event.preventDefault();
  document.getElementById(button.dataset.dialog)?.showModal();
});
on("click", "[data-close]", (_event, button) => button.closest("dialog, .peek")?.close?.());
on("click", "dialog", (event, dialog) => {
  if (event.target === dialog) dialog.close();
});
export const peek = () => one("#peek");

// A dialog that is filled by the server opens once its content is there.
document.addEventListener("htmx:after:swap", () => {
  for (const dialog of document.querySelectorAll("dialog[data-swapped]:not([open])")) {
    if (!dialog.childElementCount) continue;
    dialog.showModal();
    dialog.querySelector("input:not([type=hidden]), select, textarea, [data-save]")?.focus({ preventScroll: true });
  }
});
document.addEventListener("close", (event) => event.target.matches?.("dialog[data-swapped]") && event.target.replaceChildren(), true);
