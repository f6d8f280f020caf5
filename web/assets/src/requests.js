// What every request of htmx carries, and what happens when it fails.
import { csrf, one, say } from "./dom.js";
import { signInAgain } from "./drafts.js";
import { toast } from "./toasts.js";

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  ctx.request.headers["X-CSRFToken"] = csrf();
});

let running = 0;
const bar = () => one("#progress");
document.addEventListener("htmx:before:request", () => {
  running += 1;
  bar()?.classList.add("running");
});
document.addEventListener("htmx:finally:request", () => {
  running = Math.max(0, running - 1);
  if (!running) bar()?.classList.remove("running");
});

// 422, 409 and 412 answers are fragments made for the place; other errors are told in a toast, the page stays as it is.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  const status = ctx.response?.status ?? 200;
  if (status < 400 || [409, 412, 422].includes(status)) return;
  event.preventDefault();
  if (status === 401) {
    again(ctx.sourceElement);
    return;
  }
  const page = new DOMParser().parseFromString(ctx.text ?? "", "text/html");
  const told = page.querySelector("[data-error]")?.textContent.trim();
  toast(told || say("failed"), { kind: "danger" });
});

// The session has ended: what was typed is kept, one signs in where one is, and what was asked for is asked again.
const again = async (element) => {
  const form = element.closest?.("form");
  form?.dispatchEvent(new Event("octavo:expired"));
  if (!(await signInAgain())) return;
  toast(say("signed_in_again"));
  if (form?.isConnected) form.requestSubmit();
};

document.addEventListener("htmx:error", (event) => {
  if (event.detail.ctx) toast(say("offline"), { kind: "danger" });
});
