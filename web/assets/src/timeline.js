// The timeline's box: grows with its text, mentions people by "@", takes pasted pictures, and opens the full form.
import { all, each, icon, make, on, one, say } from "./dom.js";
import { keepText, keptText, leave } from "./drafts.js";

each("textarea[data-grow]", (area) => {
  const fit = () => {
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 2, 256)}px`;
  };
  area.addEventListener("input", fit);
  area.form?.addEventListener("reset", () => setTimeout(fit));
});

// Files wait in the form until it is sent; the browser shows pictures from memory.
const chips = (form) => {
  const input = one("input[type=file]", form);
  const place = one("[data-chips]", form);
  if (!input || !place) return;
  all("img", place).forEach((picture) => URL.revokeObjectURL(picture.src));
  place.replaceChildren(
    ...[...input.files].map((file, at) => {
      const cross = make("button", { type: "button", class: "chip-cross", "data-drop-file": at, "aria-label": `${say("remove")} ${file.name}` }, icon("x"));
      const chip = make("span", { class: "log-chip" });
      if (/^image\/(png|jpeg|gif|webp)$/.test(file.type)) chip.append(make("img", { src: URL.createObjectURL(file), alt: "" }));
      chip.append(make("span", {}, file.name), cross);
      return chip;
    }),
  );
};
const put = (form, files) => {
  const input = one("input[type=file]", form);
  if (!input) return;
  const all = new DataTransfer();
  files.forEach((file) => all.items.add(file));
  input.files = all.files;
  chips(form);
};
on("change", "[data-log] input[type=file]", (_event, input) => chips(input.form));
on("click", "[data-drop-file]", (_event, button) => {
  const form = button.closest("form");
  put(form, [...one("input[type=file]", form).files].filter((_file, at) => at !== Number(button.dataset.dropFile)));
});
on("paste", "[data-log] textarea", (event, area) => {
  const pictures = [...(event.clipboardData?.files ?? [])];
  if (!pictures.length || !one("input[type=file]", area.form)) return;
  event.preventDefault();
  put(area.form, [...one("input[type=file]", area.form).files, ...pictures]);
});

each("form[data-log]", (form) => {
  const area = one("textarea", form);
  area.value ||= keptText(form.action); // what was begun here and never sent
  area.dispatchEvent(new Event("input"));
  let timer;
  const keep = () => keepText(form.action, area.value);
  area.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(keep, 300);
  });
  form.addEventListener("reset", () => {
    all('input[name="mention"]', form).forEach((hidden) => hidden.remove());
    setTimeout(() => chips(form));
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
    form.requestSubmit();
  });
  form.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    const problems = one("#log-problems", form);
    if (ctx.response?.status < 300) {
      clearTimeout(timer);
      form.reset();
      keep();
      problems?.replaceChildren();
    }
  });
});
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const form = ctx.sourceElement;
  if (!form.matches?.("[data-log]")) return;
  const text = one("textarea", form).value; // somebody taken out of the text again is not mentioned
  all('input[name="mention"]', form).forEach((hidden) => {
    if (!text.includes(`@${hidden.dataset.title}`)) ctx.request.body.delete("mention", hidden.value);
  });
});

// "@" and a few letters look for people; arrows choose, Enter takes one.
each("textarea[data-mentions]", (area) => {
  const form = area.form;
  const list = one("[role=listbox]", area.parentElement);
  const people = area.dataset.mentions || form?.dataset.people;
  if (!people || !list) return;
  let at = -1;
  let asked = 0;
  const options = () => all("[role=option]", list);
  const close = () => {
    list.hidden = true;
    at = -1;
  };
  const mark = (next) => {
    const found = options();
    if (!found.length) return;
    at = (next + found.length) % found.length;
    found.forEach((option, n) => option.setAttribute("aria-selected", String(n === at)));
    found[at].scrollIntoView({ block: "nearest" });
  };
  const typed = () => /(^|[^A-Za-z0-9_.+@-])@([^\s@]{0,20})$/u.exec(area.value.slice(0, area.selectionStart));
  const look = async () => {
    const found = typed();
    if (!found) return close();
    const turn = ++asked;
    const answer = await fetch(`${people}?q=${encodeURIComponent(found[2])}`, { headers: { "HX-Request": "true" } });
    if (!answer.ok || turn !== asked || !typed()) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    list.replaceChildren(...page.body.childNodes);
    list.hidden = !options().length;
    mark(0);
  };
  const choose = (option) => {
    const found = typed();
    if (!found) return close();
    const { id, title } = option.dataset;
    const end = area.selectionStart;
    const start = end - found[2].length - 1;
    area.setRangeText(`@${title} `, start, end, "end");
    if (!all('input[name="mention"]', form).some((hidden) => hidden.value === id)) form.append(make("input", { type: "hidden", name: "mention", value: id, "data-title": title }));
    close();
    area.focus();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  let timer;
  area.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, 120);
  });
  area.addEventListener("blur", () => setTimeout(close, 150));
  area.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark(at + (event.key === "ArrowDown" ? 1 : -1));
    } else if ((event.key === "Enter" || event.key === "Tab") && at >= 0 && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      choose(options()[at]);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
  });
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const option = event.target.closest("[role=option]");
    if (option) choose(option);
  });
});

// The full form goes on with what was typed.
on("click", "[data-log-full]", (_event, button) => {
  const form = button.closest("form");
  const text = one("textarea", form).value.trim();
  const kind = one('input[name="kind"]:checked', form)?.value;
  const fields = [];
  if (text) fields.push([form.dataset.title, text.split("\n")[0].slice(0, 200)]);
  if (text && form.dataset.text) fields.push([form.dataset.text, text]);
  if (kind && form.dataset.kind) fields.push([form.dataset.kind, kind]);
  leave(form.dataset.full, fields);
  keepText(form.action, "");
  location.assign(form.dataset.full);
});

// "Log" in the head, or an address that ends in #log: opens the timeline and begins to write.
const openLog = () => {
  const tab = one("#t-timeline"); // where the timeline stands beside the record there is no tab to open
  if (tab?.offsetParent) tab.click();
  const area = one("#quick-log textarea");
  area?.scrollIntoView({ block: "center" });
  area?.focus();
};
on("click", "[data-log-open]", openLog);
each("#quick-log", () => location.hash === "#log" && openLog());

// The stage a record is in lies in sight, also where the path is wider than the screen.
each("[data-path]", (path) => {
  const now = one("[aria-current]", path);
  if (now) path.scrollLeft = now.offsetLeft - path.clientWidth / 2 + now.clientWidth / 2;
});
