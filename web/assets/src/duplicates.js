// While a record is entered: what it is likely a twin of, asked whenever a field that decides it has changed.
import { all, csrf, each, on, settled } from "./dom.js";

each("[data-duplicates]", (box) => {
  const form = box.closest("form");
  const watched = box.dataset.watched.split(" ");
  let timer;
  let running;
  let asked = "";
  const typed = () => watched.map((name) => new FormData(form).getAll(name).join()).join("\n");
  const ask = async () => {
    const now = typed();
    if (now === asked || !form.isConnected) return;
    asked = now;
    running?.abort();
    running = new AbortController();
    const body = new FormData(form);
    all("input[type=file]", form).forEach((input) => body.delete(input.name));
    try {
      const answer = await fetch(box.dataset.duplicates, {
        method: "POST",
        body: new URLSearchParams(body),
        headers: { "X-CSRFToken": csrf(), "HX-Request": "true" },
        signal: running.signal,
      });
      if (answer.ok) box.innerHTML = await settled(answer.text()); // written and escaped by the server
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  };
  const soon = (event) => {
    if (!watched.includes(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(ask, event.type === "change" ? 0 : 400);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  asked = typed();
});

// Rows chosen in a list, side by side.
on("click", "[data-merge]", (_event, button) => {
  const chosen = all('input[name=id][form="bulk"]:checked').map((box) => `id=${encodeURIComponent(box.value)}`);
  if (chosen.length) location.assign(`${button.dataset.merge}?${chosen.slice(0, 10).join("&")}`);
});
