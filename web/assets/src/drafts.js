// What is typed into a form is kept in this browser, for this person and this form alone, until it is saved: it
// survives a crash, a closed window and a session that has ended.
import { all, each, icon, make, on, one, say } from "./dom.js";

const PREFIX = "octavo-draft:";
const LONGEST = 200_000; // characters of one draft
const OLDEST = 14 * 24 * 3600 * 1000; // milliseconds
const person = () => document.body.dataset.user || "";
const keyOf = (address) => `${PREFIX}${person()}:${new URL(address, location.href).pathname}`;

const load = (key) => {
  try {
    const found = JSON.parse(localStorage.getItem(key));
    if (found && Date.now() - found.at < OLDEST) return found;
    localStorage.removeItem(key);
  } catch {
    // a browser that keeps nothing, or something that is no draft
  }
  return null;
};
const store = (key, draft) => {
  const text = JSON.stringify({ ...draft, at: Date.now() });
  try {
    if (text.length <= LONGEST) localStorage.setItem(key, text);
  } catch {
    // no room or not allowed: the form itself still holds everything
  }
};
const drop = (key) => {
  try {
    localStorage.removeItem(key);
  } catch {
    // nothing was kept
  }
};

// A single text, such as that of a box without a form of its own.
export const keepText = (address, text) => (text ? store(keyOf(address), { text }) : drop(keyOf(address)));
export const keptText = (address) => load(keyOf(address))?.text ?? "";

// Leaves values for a form that is opened next.
export const leave = (address, fields) => fields.length && store(keyOf(address), { fields, resume: true });

const kept = (input) => input.name && !["hidden", "password", "file", "submit", "button"].includes(input.type) && !input.closest("[data-lookup]");
const HIDDEN = new Set(["csrf_token", "next", "version"]);

// [name, value, more] of everything a person can fill in; secrets and files are never kept. `more` is the title of a
// look-up, the value of a box to tick, or true where `value` lists [id, title] of several.
const collect = (form) => {
  const found = [];
  const several = new Set();
  for (const box of all("[data-lookup][data-multiple]", form)) {
    const chips = all(".chip", box).map((chip) => [one("input", chip).value, chip.firstChild.textContent]);
    found.push([box.dataset.name, chips, true]);
    several.add(box.dataset.name);
  }
  for (const input of form.elements) {
    if (several.has(input.name)) continue;
    if (input.type === "hidden" && !HIDDEN.has(input.name) && input.name) {
      const box = input.closest("[data-lookup]");
      found.push([input.name, input.value, box ? one("[role=combobox]", box)?.value : undefined]);
    } else if (kept(input)) {
      if (input.type === "radio" && !input.checked) continue;
      found.push(input.type === "checkbox" ? [input.name, input.checked, input.value] : [input.name, input.value]);
    }
  }
  return found;
};

const chipOf = (name, id, title) => {
  const cross = make("button", { type: "button", class: "chip-cross", "aria-label": `${say("remove")} ${title}` }, icon("x"));
  return make("span", { class: "chip" }, title, make("input", { type: "hidden", name, value: id }), cross);
};

const fill = (form, draft) => {
  const lines = {};
  for (const [name] of draft.fields) {
    const row = /^([a-z_]\w*)\.(\d+)\./.exec(name);
    if (row) lines[row[1]] = Math.max(lines[row[1]] ?? 0, Number(row[2]) + 1);
  }
  for (const [name, count] of Object.entries(lines)) {
    const grid = one(`[data-lines="${CSS.escape(name)}"]`, form);
    const add = grid && one("[data-add-line]", grid);
    for (let n = 0; add && n < 200 && Number(grid.dataset.next) < count; n += 1) add.click();
  }
  for (const [name, value, more] of draft.fields) {
    if (Array.isArray(value)) {
      const box = one(`[data-lookup][data-name="${CSS.escape(name)}"]`, form);
      if (box) one(".chips", box).replaceChildren(...value.map(([id, title]) => chipOf(name, id, title)));
      continue;
    }
    for (const input of all(`[name="${CSS.escape(name)}"]`, form)) {
      if (input.type === "file" || input.type === "password" || HIDDEN.has(name)) continue;
      if (input.type === "radio") input.checked = input.value === value;
      else if (input.type === "checkbox") {
        if (typeof value === "boolean" && input.value === more) input.checked = value;
      } else {
        input.value = value;
        const shown = input.closest("[data-lookup]");
        const text = shown && one("[role=combobox]", shown);
        if (text && typeof more === "string") text.value = more;
      }
    }
  }
  if (draft.version && one('[name="version"]', form)) one('[name="version"]', form).value = draft.version;
  form.dispatchEvent(new Event("input", { bubbles: true }));
  form.dispatchEvent(new Event("change", { bubbles: true }));
};

const note = (form, key, draft, filled) => {
  const when = new Date(draft.at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  const box = make("div", { class: "alert alert-warning draft-note", role: "status" }, icon("history"), make("span", {}, say(filled ? "draft_back" : "draft_found").replace("{when}", when)));
  const button = (word, act) => {
    const made = make("button", { type: "button", class: "btn btn-sm" }, say(word));
    made.addEventListener("click", act);
    box.append(made);
  };
  if (!filled) button("draft_restore", () => (fill(form, draft), box.remove()));
  button("draft_discard", () => {
    drop(key);
    filled ? location.reload() : box.remove();
  });
  form.prepend(box);
};

each("form[data-record][data-evaluate]", (form) => {
  if (!person()) return;
  const key = keyOf(form.action);
  const draft = load(key);
  let timer;
  let sent = false;
  const keep = () => {
    clearTimeout(timer);
    timer = setTimeout(() => !sent && form.isConnected && store(key, { fields: collect(form), version: one('[name="version"]', form)?.value }), 300);
  };
  if (draft && form.dataset.changed === undefined) {
    if (draft.resume) {
      fill(form, draft);
      if (draft.back) note(form, key, draft, true);
    } else note(form, key, draft, false);
  }
  form.addEventListener("input", keep);
  form.addEventListener("change", keep);
  const finish = () => {
    sent = true;
    clearTimeout(timer);
    drop(key);
  };
  form.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (ctx.response?.status < 300) finish();
  });
  form.addEventListener("octavo:expired", () => {
    clearTimeout(timer);
    store(key, { fields: collect(form), version: one('[name="version"]', form)?.value, resume: true, back: true });
  });
  one("[data-cancel]", form)?.addEventListener("click", finish);
});

// Signing out by oneself takes the drafts along; a session that ends by itself leaves them.
on("submit", 'form[action="/sign-out"]', () => {
  try {
    Object.keys(localStorage).filter((key) => key.startsWith(`${PREFIX}${person()}:`)).forEach((key) => localStorage.removeItem(key));
  } catch {
    // nothing was kept
  }
});

// --- signing in again in place -----------------------------------------------------------------------------------

const tokens = (text) => new DOMParser().parseFromString(text, "text/html");
let open;

// Asks for the password where one is; resolves once the same person has signed in again.
export const signInAgain = () => {
  open ??= new Promise((resolve) => {
    const dialog = make("dialog", { class: "ask sign-in-again", "aria-label": say("sign_in") });
    const problem = make("div", { class: "field-problem", role: "alert" });
    const field = (name, type, label, complete) => make("label", { class: "form-label" }, label, make("input", { class: "form-control", name, type, autocomplete: complete, required: true, maxlength: 1000 }));
    const form = make("form", {}, make("p", {}, say("session_over")), field("login", "text", say("login"), "username"), field("password", "password", say("password"), "current-password"), problem);
    const go = make("button", { class: "btn btn-primary" }, say("sign_in"));
    const other = make("a", { class: "btn", href: "/sign-in?next=" + encodeURIComponent(location.pathname + location.search) }, say("sign_in_page"));
    form.append(make("div", { class: "ask-buttons" }, other, go));
    one('[name="login"]', form).value = document.body.dataset.login || "";
    dialog.append(form);
    document.body.append(dialog);
    const end = (done) => {
      open = undefined;
      dialog.remove();
      resolve(done);
    };
    dialog.addEventListener("cancel", () => end(false));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      go.disabled = true;
      problem.replaceChildren();
      const page = tokens(await (await fetch("/sign-in", { credentials: "same-origin" })).text());
      const enter = (next) => {
        if (next.body.dataset.user !== person()) return location.reload(); // somebody else: this page is not theirs
        const token = one('meta[name="csrf-token"]', next).content;
        one('meta[name="csrf-token"]').content = token;
        all('input[name="csrf_token"]').forEach((input) => (input.value = token));
        end(true);
      };
      if (page.body.dataset.user) return enter(page); // signed in from another window meanwhile
      const body = new URLSearchParams(new FormData(form));
      body.set("csrf_token", one('meta[name="csrf-token"]', page)?.content ?? "");
      body.set("next", "/profile");
      const answer = await fetch("/sign-in", { method: "POST", body, credentials: "same-origin" });
      const next = tokens(await answer.text());
      go.disabled = false;
      if (!answer.ok || !next.body.dataset.user) {
        problem.textContent = one("[data-error]", next)?.textContent.trim() || say("failed");
        return one('[name="password"]', form).select();
      }
      enter(next);
    });
    dialog.showModal();
    one(document.body.dataset.login ? '[name="password"]' : '[name="login"]', form).focus();
  });
  return open;
};
