// Elements out of data. Whatever clients wrote becomes text, and nothing of it is hidden: this file alone makes elements of it.

/** Characters that would hide, reorder or break what is read: controls, bidirectional overrides, what has no width, halves of pairs. */
const invisible = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text as it can be seen: each character that could not is named. */
export function visible(value) {
  return String(value ?? "").replace(invisible, (character) =>
    `⟨${character === "\n" ? "↵" : character === "\t" ? "⇥" : `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`}⟩`);
}

/** The same for text that has lines. */
export const visibleLines = (value) => String(value ?? "").split("\n").map(visible).join("\n");

/** An element with attributes and children; a string becomes text. Attributes that are false or undefined are left out. */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === undefined || value === null) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked") node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return node;
}

/** What a client wrote, apart from the direction of the text around it. */
export const foreign = (value, kind = "") => element("bdi", { class: `foreign ${kind}`.trim() }, visible(value));

/** A payload: JSON is laid out, everything else stands as it is. */
export function payload(text, encoding, isWhole = true) {
  if (encoding === "base64") return element("pre", { class: "payload" }, element("span", { class: "soft" }, "base64 "), visible(text));
  let shown = text;
  if (isWhole) try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON */ }
  return element("pre", { class: "payload" }, element("bdi", {}, visibleLines(shown) || "(empty)"));
}

/** The beginning of a payload, for one line. */
export function preview(text, encoding, charactersMax = 120) {
  if (text === undefined || text === null) return element("span", { class: "soft" }, "–");
  const short = text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text;
  return element("bdi", { class: "foreign preview" }, encoding === "base64" ? `base64 ${short}` : visible(short) || "(empty)");
}

/**
 * A table: `columns` are `{ title, number, cell(row) }`, the first of them each row's heading. On a phone each row becomes a list of
 * titles and values.
 */
export function table(caption, columns, rows, empty) {
  if (rows.length === 0) return emptyState(empty);
  const head = element("tr", {}, columns.map((column) => element("th", { scope: "col", class: column.number ? "number" : "" }, column.title)));
  const body = rows.map((row) => element("tr", {}, columns.map((column, index) => {
    const content = column.cell(row);
    const attributes = { class: column.number ? "number" : "", "data-title": column.title };
    return index === 0 ? element("th", { ...attributes, scope: "row" }, content) : element("td", attributes, element("div", {}, content));
  })));
  return element("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" },
    element("table", {}, element("caption", { class: "unseen" }, caption), element("thead", {}, head), element("tbody", {}, body)));
}

/** What tells one element that can have the focus from others in its place: its name for people, and where it leads. */
const mark = (node) => [node.tagName, node.dataset.focus, node.getAttribute("href"), node.getAttribute("aria-label") ?? node.textContent].join("\u0000");

/**
 * Puts `children` in place of what `place` has. Whoever works there with the keyboard stays where they are: on the element of the same
 * name, else (its row has gone) on the table, and tables stay as far to the side as they were.
 */
export function refill(place, ...children) {
  // Whoever answers a dialog goes back to what opened it.
  if (document.getElementById("dialog")?.open) return;
  const old = document.activeElement;
  const focused = old !== place && place.contains(old) ? mark(old) : undefined;
  const rank = focused === undefined ? 0 : [...place.querySelectorAll(old.tagName)].filter((node) => mark(node) === focused).indexOf(old);
  const sides = [...place.querySelectorAll(".scroll")].map((node) => node.scrollLeft);
  place.replaceChildren(...children);
  for (const [index, node] of [...place.querySelectorAll(".scroll")].entries()) node.scrollLeft = sides[index] ?? 0;
  if (focused === undefined) return;
  const same = [...place.querySelectorAll(old.tagName)].filter((node) => mark(node) === focused);
  (same[rank] ?? place.querySelector(".scroll"))?.focus({ preventScroll: true });
}

/** What stands where there is nothing: `text`, and what would bring something there. */
export function emptyState({ text, hint }) {
  return element("div", { class: "empty" }, element("p", {}, element("strong", {}, text)), hint && element("p", { class: "soft" }, hint));
}

/** What stands where something failed, with a way to try again. */
export function errorState(error, again) {
  const hint = error.status === 404 ? "This broker may be of an earlier version than the console." : undefined;
  return element("div", { class: "failed", role: "alert" }, element("p", {}, element("strong", {}, visible(error.message))),
    hint && element("p", {}, hint), again && element("button", { type: "button", onclick: again }, "Try again"));
}

/** A field with its label above. */
export function field(label, input, hint) {
  input.id ||= `field-${(field.count = (field.count ?? 0) + 1)}`;
  if (hint) input.setAttribute("aria-describedby", `${input.id}-hint`);
  return element("div", { class: "field" }, element("label", { for: input.id }, label), input,
    hint && element("span", { class: "hint", id: `${input.id}-hint` }, hint));
}

export function select(options, value, attributes = {}) {
  const node = element("select", attributes, options.map(([key, text]) => element("option", { value: key }, text)));
  node.value = value;
  return node;
}

/** Names and values. */
export function facts(pairs) {
  return element("dl", { class: "facts" }, pairs.filter(Boolean).map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value === undefined || value === null || value === "" ? "–" : value))));
}

export const pill = (text, kind = "") => element("span", { class: `pill ${kind}` }, text);

/** Says something to people who cannot see it. */
export function announce(text) {
  document.getElementById("news").textContent = text;
}

/** Asks before something is done that cannot be taken back; resolves with whether to do it. `content` may have fields. */
export function confirm(title, content, action, kind = "danger") {
  const dialog = document.getElementById("dialog");
  return new Promise((resolve) => {
    dialog.replaceChildren(element("form", { method: "dialog" }, element("h2", { id: "dialog-title" }, title), content,
      element("div", { class: "buttons" }, element("button", { value: "no", autofocus: true }, "Keep"),
        element("button", { value: "yes", class: kind }, action))));
    dialog.returnValue = "no";
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
    dialog.showModal();
  });
}

// Figures

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const count = (value) => (value === undefined || value === null ? "–" : whole.format(value));

export const rate = (value) => (value === undefined || value === null ? "–" : value >= 10_000 ? short.format(value) : whole.format(Math.round(value * 10) / 10));

export function bytes(value) {
  if (value === undefined || value === null) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let place = 0;
  while (value >= 1024 && place < units.length - 1) { value /= 1024; place += 1; }
  return `${value >= 100 || place === 0 ? Math.round(value) : Math.round(value * 10) / 10} ${units[place]}`;
}

export function duration(seconds) {
  if (seconds === undefined || seconds === null) return "–";
  if (seconds < 1) return "now";
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

export const ago = (seconds) => (seconds === undefined || seconds === null ? "–" : seconds < 1 ? "just now" : `${duration(seconds)} ago`);

export const milliseconds = (value) => (value === undefined || value === null ? "–" : value < 10 ? `${Math.round(value * 100) / 100} ms` : `${Math.round(value)} ms`);
