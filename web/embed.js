// Shows a form of this site where its <script> stands in the page of a web site that the form names. What the page's
// address says of its campaign (utm_… and whatever the form takes) goes with it; the frame is as high as the form.
(() => {
  const script = document.currentScript;
  const source = new URL(script.src);
  const address = new URL(source.pathname.replace(/\/embed\.js$/, ""), source.origin);
  for (const query of [new URLSearchParams(location.search), source.searchParams])
    for (const [name, value] of query) if (!["lang", "theme", "embed"].includes(name) || query === source.searchParams) address.searchParams.set(name, value);
  address.searchParams.set("embed", "1");
  const frame = document.createElement("iframe");
  frame.src = address;
  frame.title = script.dataset.title || document.title;
  frame.width = "100%";
  frame.height = "720";
  frame.setAttribute("frameborder", "0");
  frame.setAttribute("loading", "lazy");
  addEventListener("message", (event) => {
    if (event.origin !== source.origin || event.source !== frame.contentWindow) return;
    const height = Number(event.data?.octavoFormHeight);
    if (height > 0) frame.height = String(Math.min(Math.ceil(height), 10000));
  });
  script.after(frame);
})();
