// What every request of htmx carries, and what happens when it fails.
import { csrf, one, say } from "./dom.js";
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
    toast(say("session_over"), { kind: "warning", link: [say("sign_in"), "/sign-in?next=" + encodeURIComponent(location.pathname + location.search)], seconds: 0 });
    return;
  }
  const page = new DOMParser().parseFromString(ctx.text ?? "", "text/html");
  const told = page.querySelector("[data-error]")?.textContent.trim();
  toast(told || say("failed"), { kind: "danger" });
});

document.addEventListener("htmx:error", (event) => {
  if (event.detail.ctx) toast(say("offline"), { kind: "danger" });
});
