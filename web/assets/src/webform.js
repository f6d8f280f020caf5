// A form for people outside: tells the page around it how high it is, and is sent once.
const form = document.querySelector("form.web-form");
if (window.parent !== window)
  new ResizeObserver(() => {
    window.parent.postMessage({ octavoFormHeight: document.documentElement.scrollHeight }, "*");
  }).observe(document.body);
form?.addEventListener("submit", () => {
  for (const button of form.querySelectorAll("button")) queueMicrotask(() => (button.disabled = true));
});
addEventListener("pageshow", () => {
  for (const button of form?.querySelectorAll("button") ?? []) button.disabled = false;
});
document.querySelector(".field-problem, .alert-danger")?.scrollIntoView({ block: "center" });
