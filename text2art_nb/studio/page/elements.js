// What every part of the page is made of: plain elements, pictures from bytes, text that is set only where it changes.

/** An element. attributes: `text` is its text, `on` its listeners; null, undefined and false leave an attribute out. */
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") made.textContent = value;
    else if (name === "on") Object.entries(value).forEach(([event, heard]) => made.addEventListener(event, heard));
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function button(label, action, attributes = {}) {
  return make("button", { type: "button", text: label, on: { click: action }, ...attributes });
}

/** An id that no other view of the page has. */
function fresh(name) {
  return `t2a-${name}-${Math.random().toString(36).slice(2, 10)}`;
}

/** A live region hears of a text that is set again; so it is set only where it changes. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Have `show` called now, and whenever Python changes one of the traits. */
function follow(model, names, show) {
  for (const name of names) model.on(`change:${name}`, show);
  show();
}

/** Have `handle(content, buffers)` called for the messages that show `what`. */
function hear(model, what, handle) {
  model.on("msg:custom", (content, buffers) => {
    if (content?.show === what) handle(content, buffers ?? []);
  });
}

/** Tell Python what a user does. */
function tell(model, name, content = {}, buffers = []) {
  model.send({ do: name, ...content }, undefined, buffers);
}

/** An img that shows bytes, one picture after the other. */
function pictureOf(alt, attributes = {}) {
  const img = make("img", { alt, draggable: "false", ...attributes });
  let old = [];
  img.addEventListener("load", () => {
    old.forEach((address) => URL.revokeObjectURL(address));
    old = [];
  });
  img.hidden = true;
  function address(next) {
    if (img.src.startsWith("blob:")) old.push(img.src);
    if (next) img.src = next;
    else img.removeAttribute("src");
    img.hidden = !next;
  }
  function bytes(buffer, kind) {
    address(buffer?.byteLength ? URL.createObjectURL(new Blob([buffer], { type: kind })) : "");
  }
  return { img, bytes, address };
}

/** Things under a title that opens and shuts, by mouse and by key. */
function fold(title, ...children) {
  const summary = make("summary", { class: "t2a-fold-head", text: title });
  return make("details", { class: "t2a-fold" }, summary, make("div", { class: "t2a-fold-body" }, ...children));
}

/** The root of a view: its colours follow the page, and the page's own shortcuts leave its fields alone. */
function rootOf(el, className) {
  const root = make("div", {
    class: `t2a-root ${className}`,
    "data-lm-suppress-shortcuts": "true",
    "data-p-suppress-shortcuts": "true",
  });
  root.addEventListener("keydown", (event) => event.stopPropagation());
  el.append(root);
  const paint = () => (root.dataset.theme = isDark(el) ? "dark" : "light");
  const watcher = new MutationObserver(paint);
  for (const watched of [document.documentElement, document.body]) watcher.observe(watched, { attributes: true });
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", paint);
  paint();
  requestAnimationFrame(paint); // by now it is on the page, and what is behind it is known
  return {
    root,
    leave() {
      watcher.disconnect();
      media.removeEventListener("change", paint);
    },
  };
}

/** Whether the page is dark: by what it says (Colab, JupyterLab, VS Code), else by what is behind, else by the system. */
function isDark(el) {
  const { documentElement: html, body } = document;
  const said = html.getAttribute("theme") ?? body.dataset.vscodeThemeKind ?? "";
  if (said) return said.includes("dark") || said === "vscode-high-contrast";
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  for (let behind = el; behind; behind = behind.parentElement) {
    const [r, g, b, a = 1] = (getComputedStyle(behind).backgroundColor.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    if (a > 0.5) return 0.299 * r + 0.587 * g + 0.114 * b < 128;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Offer a file to save. A link of the page's own: addresses of files lead nowhere from within Colab's frames. */
function saveLink(name, kind, buffer) {
  const address = URL.createObjectURL(new Blob([buffer], { type: kind }));
  return make("a", { class: "t2a-download", download: name, href: address, text: `Save ${name}` });
}
