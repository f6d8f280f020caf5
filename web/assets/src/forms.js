// Forms: nothing typed is lost, rules answer while one types, problems are shown where they are.
import { all, csrf, each, on, one, say, settled } from "./dom.js";
import { reveal } from "./menus.js";
import { toast } from "./toasts.js";

const dirty = new Set();

addEventListener("beforeunload", (event) => {
  if ([...dirty].some((form) => form.isConnected)) event.preventDefault();
});

const focusFirst = (form) => {
  const wrong = one(".is-invalid", form);
  if (wrong) {
    reveal(wrong);
    (wrong.matches("input, select, textarea") ? wrong : one("input:not([type=hidden]), select, textarea", wrong))?.focus();
    wrong.scrollIntoView({ block: "center" });
  } else if (form.dataset.focus !== undefined && matchMedia("(pointer: fine)").matches) {
    one("input:not([type=hidden]):not([readonly]):not(:disabled), select:not(:disabled), textarea:not(:disabled)", form)?.focus();
  }
};

each("form[data-record]", (form) => {
  let timer;
  let running;
  if (form.dataset.changed !== undefined) dirty.add(form);
  focusFirst(form);
  const note = () => {
    dirty.add(form);
    form.classList.add("is-dirty");
  };
  const evaluate = async () => {
    if (!form.dataset.evaluate || !form.isConnected) return;
    running?.abort();
    running = new AbortController();
    const body = new FormData(form);
    all("input[type=file]", form).forEach((input) => body.delete(input.name));
    try {
      const answer = await fetch(form.dataset.evaluate, {
        method: "POST",
        body: new URLSearchParams(body),
        headers: { "X-CSRFToken": csrf(), "HX-Request": "true" },
        signal: running.signal,
      });
      if (answer.ok) apply(form, await settled(answer.json()));
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  };
  form.addEventListener("input", note);
  form.addEventListener("change", (event) => {
    note();
    settle(event.target);
    clearTimeout(timer);
    timer = setTimeout(evaluate, 150);
  });
  form.addEventListener("submit", () => dirty.delete(form));
  form.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (!ctx.response || ctx.response.status >= 500 || ctx.response.status === 401) dirty.add(form);
  });
});

// A field that was changed no longer shows what was wrong with it; saving tells anew.
const settle = (element) => {
  const box = element.closest?.(".field, td");
  if (!box || element.matches("[data-lines]")) return;
  all(".is-invalid", box).forEach((e) => e.classList.remove("is-invalid"));
  all(":scope > .field-problem", box).forEach((e) => e.remove());
};

// State from the server: {fields: {name: {visible, required, readonly, html, why}}}
const apply = (form, state) => {
  for (const [name, now] of Object.entries(state.fields ?? {})) {
    const box = one(`[data-field="${CSS.escape(name)}"]`, form);
    if (box) {
      if ("visible" in now) box.hidden = !now.visible;
      if ("required" in now) box.classList.toggle("is-required", now.required);
      const why = one(":scope > .why", box);
      if (why && "why" in now) {
        why.hidden = !now.why;
        one("[data-why]", why).textContent = now.why;
      }
      if ("readonly" in now) all("input, textarea, select", box).forEach((i) => (i.matches("select") || i.type === "checkbox" ? (i.disabled = now.readonly) : (i.readOnly = now.readonly)));
    }
    if ("input" in now) all(`[name="${CSS.escape(name)}"]`, form).forEach((e) => {
      if (e.value === "" && document.activeElement !== e) e.value = now.input; // a default that follows from the rest
    });
    if ("html" in now) all(`[data-computed="${CSS.escape(name)}"]`, form).forEach((e) => {
      if (e.dataset.html !== now.html) {
        e.dataset.html = now.html;
        e.innerHTML = now.html; // written and escaped by the server's widgets
        e.classList.add("was-updated");
        setTimeout(() => e.classList.remove("was-updated"), 900);
      }
    });
  }
  const parts = state.parts ?? {};
  all("[data-section]", form).forEach((section) => {
    const boxes = all("[data-field]", section);
    if (boxes.length) section.hidden = parts[section.dataset.part] === false || boxes.every((b) => b.hidden);
  });
  all("[data-tab][data-part]", form).forEach((tab) => (tab.hidden = parts[tab.dataset.part] === false));
};

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("form[data-record]") ?? one("form[data-record]");
  if (!form || !(event.ctrlKey || event.metaKey)) return;
  if (event.key === "s" || event.key === "Enter") {
    event.preventDefault();
    const again = event.key === "Enter" && one("[data-save-new]", form);
    form.requestSubmit(again || one("[data-save]", form) || undefined);
  }
});

// Ask before a link throws away what was typed.
on("click", "a[data-cancel]", () => dirty.clear());

// The eye of a secret, the name of a chosen file, a list of choices.
on("click", "[data-reveal]", (_event, button) => {
  const input = one("input", button.parentElement);
  input.type = input.type === "password" ? "text" : "password";
  button.setAttribute("aria-pressed", String(input.type === "text"));
});
on("click", "[data-copy]", async (_event, button) => {
  await navigator.clipboard?.writeText(button.dataset.copy);
  toast(say("copied"), { seconds: 2 });
});
on("change", "input[type=range]", (_event, input) => {
  const shown = input.parentElement.querySelector("output");
  if (shown) shown.textContent = input.value;
});
