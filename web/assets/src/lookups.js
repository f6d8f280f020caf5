// A field that points to records: type to search (pinyin initials too), arrows choose, a second line tells twins apart.
import { all, each, icon, make, on, one, say } from "./dom.js";
import { openQuick } from "./quick.js";

let count = 0;

each("[data-lookup]", (box) => {
  const input = one("input[role=combobox]", box);
  const list = one("[role=listbox]", box);
  const multiple = box.dataset.multiple !== undefined;
  const stored = one("input[type=hidden]", box);
  const clear = one("[data-lookup-clear]", box);
  if (!input || !list) return;
  list.id ||= `options-${++count}`;
  input.setAttribute("aria-controls", list.id);
  let chosenText = input.value;
  let timer;
  let running;
  let at = -1;
  let waiting = false; // a search is on its way
  let hurried = false; // Enter was pressed before its answer came

  const options = () => all("[role=option]", list);
  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    at = -1;
  };
  const mark = (index) => {
    const found = options();
    if (!found.length) return;
    at = (index + found.length) % found.length;
    found.forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
    found[at].id ||= `${list.id}-${at}`;
    input.setAttribute("aria-activedescendant", found[at].id);
    found[at].scrollIntoView({ block: "nearest" });
  };
  const search = async () => {
    running?.abort();
    running = new AbortController();
    const asked = input.value;
    const address = new URL(box.dataset.lookup, location.href);
    address.searchParams.set("q", input.value === chosenText && !multiple ? "" : input.value);
    for (const [name, field] of siblings(box)) address.searchParams.set(`this.${name}`, field?.value ?? "");
    try {
      const answer = await fetch(address, { headers: { "HX-Request": "true" }, signal: running.signal });
      if (!answer.ok) return;
      if (asked !== input.value) return; // typed on meanwhile: the next search answers
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      list.replaceChildren(...page.body.childNodes);
      list.hidden = false;
      list.classList.toggle("up", input.getBoundingClientRect().bottom + 260 > innerHeight && input.getBoundingClientRect().top > 280);
      input.setAttribute("aria-expanded", "true");
      at = -1;
      waiting = false;
      if (input.value && input.value !== chosenText && options().length) mark(0);
      if (hurried && options().length) choose(options()[0]);
      hurried = false;
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  };
  const changed = (element) => element.dispatchEvent(new Event("change", { bubbles: true }));
  const choose = (option) => {
    const { id, title, create } = option.dataset;
    create ? add(create) : hold(id, title);
  };
  // A record that is not there yet: a small form, and back here with it.
  const add = (address) => {
    const typed = input.value === chosenText ? "" : input.value;
    close();
    openQuick(`${address}${typed ? `&title=${encodeURIComponent(typed)}` : ""}`, (id, title) => {
      hold(id, title);
      input.focus();
    });
  };
  const hold = (id, title) => {
    if (multiple) {
      if (!all("input[type=hidden]", box).some((hidden) => hidden.value === id)) {
        const cross = make("button", { type: "button", class: "chip-cross", "aria-label": `${say("remove")} ${title}` }, icon("x"));
        const hidden = make("input", { type: "hidden", name: box.dataset.name, value: id });
        one(".chips", box).append(make("span", { class: "chip" }, title, hidden, cross));
      }
      input.value = "";
    } else {
      stored.value = id;
      input.value = chosenText = title;
      if (clear) clear.hidden = false;
    }
    close();
    changed(stored ?? input);
  };
  const drop = () => {
    if (stored) stored.value = "";
    input.value = chosenText = "";
    if (clear) clear.hidden = true;
    changed(stored ?? input);
  };

  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => list.hidden && search());
  input.addEventListener("input", () => {
    clearTimeout(timer);
    waiting = true;
    timer = setTimeout(search, 40); // a word typed fast is one question, and the answer is there within a tenth of a second
  });
  input.addEventListener("keydown", (event) => {
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      event.stopPropagation();
      if (list.hidden) search();
      else mark(at + (key === "ArrowDown" ? 1 : -1));
    } else if (key === "Enter" && (waiting || (!list.hidden && at >= 0))) {
      event.preventDefault();
      event.stopPropagation();
      if (waiting) hurried = true;
      else choose(options()[at]);
    } else if (key === "Escape" && !list.hidden) {
      event.stopPropagation();
      input.value = multiple ? "" : chosenText;
      close();
    } else if (key === "Backspace" && multiple && !input.value) {
      const chips = all(".chip", box);
      chips.at(-1)?.remove();
      changed(input);
    }
  });
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const option = event.target.closest("[role=option]");
    if (option) choose(option);
  });
  input.addEventListener("blur", () => {
    setTimeout(() => {
      if (list.hidden && input.value === chosenText) return;
      close();
      if (!multiple && input.value.trim() === "") {
        if (chosenText) drop();
      } else if (!multiple) input.value = chosenText;
    }, 120);
  });
  clear?.addEventListener("click", () => {
    drop();
    input.focus();
  });
  box.addEventListener("lookup:drop", () => stored?.value && drop());
  box.addEventListener("lookup:hold", ({ detail: { id, title } }) => hold(id, title));
  box.addEventListener("click", (event) => {
    const cross = event.target.closest(".chip-cross");
    if (!cross) return;
    cross.closest(".chip").remove();
    changed(input);
  });
});

// A field whose choices depend on others: they are sent along, and what was chosen goes when one of them changes.
const siblings = (box) => {
  const name = box.dataset.name ?? one("input[type=hidden]", box)?.name ?? "";
  const before = name.slice(0, name.lastIndexOf(".") + 1);
  const form = box.closest("form");
  return (box.dataset.depends ?? "").split(" ").filter(Boolean).map((other) => [other, form?.elements.namedItem(before + other)]);
};
on("change", "input, select", ({ target }) => {
  const form = target.closest("form");
  if (!form || !target.name) return;
  for (const box of all("[data-lookup][data-depends]", form)) {
    if (siblings(box).some(([, field]) => field === target)) box.dispatchEvent(new Event("lookup:drop"));
  }
});
