// Small helpers. Texts come from the page: <body data-texts='{"undo": "..."}'>.
export const one = (selector, within = document) => within.querySelector(selector);
export const all = (selector, within = document) => [...within.querySelectorAll(selector)];

let texts;
export const say = (key) => {
  texts ??= JSON.parse(document.body.dataset.texts || "{}");
  return texts[key] ?? key;
};

// Listens on the document, for elements that come and go.
export const on = (type, selector, handler, options) =>
  document.addEventListener(
    type,
    (event) => {
      const found = event.target.closest?.(selector);
      if (found) handler(event, found);
    },
    options,
  );

// Runs for every element there is now, and for those that fragments bring later.
export const each = (selector, prepare) => {
  const seen = new WeakSet();
  const scan = (within) => {
    if (within.matches?.(selector)) run(within);
    within.querySelectorAll?.(selector).forEach(run);
  };
  const run = (element) => {
    if (!seen.has(element)) {
      seen.add(element);
      prepare(element);
    }
  };
  const start = () => {
    scan(document.body);
    new MutationObserver((changes) => changes.forEach((c) => c.addedNodes.forEach(scan))).observe(document.body, {
      childList: true,
      subtree: true,
    });
  };
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", start) : start();
};

// While a button of the mouse or a finger is down nothing may move: what is let go elsewhere than it was pressed is no click.
let still = Promise.resolve();
addEventListener(
  "pointerdown",
  () => {
    still = new Promise((done) => {
      for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(done), { once: true, capture: true });
      setTimeout(done, 2000); // let go outside of the window
    });
  },
  true,
);
// What came while somebody pressed, once it may be shown.
export const settled = async (found) => {
  const value = await found;
  await still;
  return value;
};

export const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
};

export const icon = (name) => {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(ns, "use");
  use.setAttribute("href", `${document.body.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
};

export const csrf = () => one('meta[name="csrf-token"]')?.content ?? "";

export const post = (address, body = {}) =>
  fetch(address, {
    method: "POST",
    body: body instanceof FormData ? body : new URLSearchParams(body),
    headers: { "X-CSRFToken": csrf(), "HX-Request": "true" },
    credentials: "same-origin",
  });
