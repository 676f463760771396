// The console's frame: views by the fragment of the address, one live stream for all of them, and the sign-in.

import { get, session, stream, token } from "./api.js";
import { announce, element, errorState, field } from "./dom.js";
import * as archive from "./views/archive.js";
import * as certificates from "./views/certificates.js";
import * as clients from "./views/clients.js";
import * as deadLetters from "./views/deadletters.js";
import * as destinations from "./views/destinations.js";
import * as log from "./views/log.js";
import * as overview from "./views/overview.js";
import * as rules from "./views/rules.js";
import * as subscriptions from "./views/subscriptions.js";
import * as topics from "./views/topics.js";

const views = new Map(Object.entries({
  overview, topics, clients, subscriptions, rules, destinations, deadletters: deadLetters, archive, certificates, log,
}));
const find = (id) => document.getElementById(id);

/** The broker's pulse: dispatches `beat` with each document of the stream `live`. */
const pulse = new EventTarget();
let shown;
let live;

// Views

function place() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/");
  return { name: views.has(name) ? name : "overview", rest: rest.map(decodeURIComponent), parameters: new URLSearchParams(query) };
}

/** Shows the view that the address names; what the one before had running ends. */
function show({ isFirst = false } = {}) {
  shown?.abort();
  shown = new AbortController();
  const { name, rest, parameters } = place();
  const view = views.get(name);
  const main = find("view");
  document.title = `${view.title} · Crema console`;
  for (const link of find("views").querySelectorAll("a")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  find("menu").setAttribute("aria-expanded", "false");
  const heading = element("h1", {}, view.title);
  const content = element("div", { class: `view-${name}` });
  main.replaceChildren(heading, content);
  view.show({ root: content, rest, parameters, signal: shown.signal, pulse });
  if (!isFirst) {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
    announce(view.title);
  }
}

function buildNavigation() {
  find("views").querySelector("ul").append(...[...views].map(([name, view]) =>
    element("li", {}, element("a", { href: `#/${name}`, "data-view": name }, view.title))));
  find("menu").addEventListener("click", () => {
    const isOpen = find("menu").getAttribute("aria-expanded") === "true";
    find("menu").setAttribute("aria-expanded", String(!isOpen));
  });
  addEventListener("hashchange", () => { if (live) show(); });
  find("sign-out").addEventListener("click", () => {
    token.remove();
    askForToken();
  });
}

// The live stream

function tell(state, text) {
  const line = find("connection");
  if (line.dataset.state !== state || line.querySelector(".text").textContent !== text) {
    line.dataset.state = state;
    line.querySelector(".text").textContent = text;
  }
}

/** Reads the stream for as long as the console is open; after a break it tries again, a second later and then twice as late each time. */
async function follow(signal) {
  let seconds = 1;
  while (!signal.aborted) {
    let reason = "the broker ended the stream";
    try {
      for await (const document of stream("live", {}, signal)) {
        if (find("connection").dataset.state !== "connected") welcome();
        tell("connected", "Live");
        seconds = 1;
        pulse.dispatchEvent(new CustomEvent("beat", { detail: document }));
      }
    } catch (error) {
      if (signal.aborted || error.status === 401) return;
      reason = error.status ? error.message : "the broker does not answer";
    }
    pulse.dispatchEvent(new CustomEvent("silence"));
    tell("waiting", `Reconnecting: ${reason}. What is shown may be old.`);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000 * (0.75 + Math.random() / 4)));
    seconds = Math.min(seconds * 2, 8);
  }
}

/** After a break the broker may be another. */
async function welcome() {
  const { version } = await get("version").catch(() => ({}));
  find("version").textContent = version ?? "";
}

// Signing in

function askForToken(reason) {
  live?.abort();
  live = undefined;
  shown?.abort();
  find("views").hidden = true;
  find("sign-out").hidden = true;
  tell("stopped", "Not signed in");
  document.title = "Sign in · Crema console";
  const input = element("input", { type: "password", autocomplete: "off", required: true, spellcheck: "false", id: "token" });
  const form = element("form", { class: "sign-in", onsubmit: (event) => {
    event.preventDefault();
    token.set(input.value.trim());
    begin();
  } }, element("h1", {}, "Sign in"),
  field("Administrator token", input, "The secret in the listener's adminToken file, or a token of an issuer that it takes. It stays in this tab."),
  element("p", { class: "problem", role: "alert" }, reason ?? ""), element("button", { type: "submit", class: "primary" }, "Sign in"));
  find("view").replaceChildren(form);
  input.focus();
}

async function begin() {
  try {
    await welcomeFirst();
  } catch (error) {
    if (error.status === 401) return;
    find("view").replaceChildren(errorState(error, begin));
    if (error.status === 0) setTimeout(() => { if (!live) begin(); }, 2_000);
    return;
  }
  live?.abort();
  live = new AbortController();
  find("views").hidden = false;
  find("sign-out").hidden = token.get() === undefined;
  show({ isFirst: true });
  follow(live.signal);
}

async function welcomeFirst() {
  find("version").textContent = (await get("version")).version;
}

session.addEventListener("refused", ({ detail }) => {
  const wasShown = token.get() !== undefined;
  token.remove();
  askForToken(wasShown ? detail : undefined);
});
buildNavigation();
begin();
