// What the shop's three screens share: who the screen is, its connection, and what events mean for an order.

import { MqttClient } from "./mqtt.js";

/** The place whose orders are shown: the `eventId` of every event. */
export const eventId = "NYC";

/**
 * The user of this screen, from the link's fragment, which no browser sends anywhere; kept for as long as the tab is open.
 * Undefined when the page was opened without a link.
 */
export function user() {
  const key = `crema-${location.pathname}`;
  if (location.hash.includes(":")) {
    const [name, ...password] = decodeURIComponent(location.hash.slice(1)).split(":");
    sessionStorage.setItem(key, JSON.stringify({ name, password: password.join(":") }));
    // The password is not to stay in the address bar, nor in the history.
    history.replaceState(null, "", location.pathname);
  }
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Connects a screen, and tells how that goes in the element `#connection`; answers with the client, not started yet. */
export function connect({ name, password }) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const client = new MqttClient({
    url: `${scheme}//${location.host}/mqtt`, clientId: `screen-${name}-${randomText(8)}`, username: name, password,
  });
  client.addEventListener("state", ({ detail }) => showConnection(detail));
  return client;
}

function showConnection({ name, reason, retrySeconds }) {
  const line = document.querySelector("#connection");
  const text = {
    connecting: "Connecting…",
    connected: "Live",
    waiting: `Connection lost (${reason}). Trying again in ${retrySeconds} s. What is shown may be old.`,
    refused: `Not connected: ${reason}. Ask for a new link to this page.`,
    stopped: "Not connected",
  }[name];
  line.dataset.state = name;
  line.querySelector(".text").textContent = text;
  document.body.classList.toggle("stale", name !== "connected");
}

/** Tells that a page needs a link, in place of its content. */
export function askForLink() {
  document.querySelector("main").replaceChildren(
    element("section", { class: "notice" }, element("h2", {}, "This page needs its link"),
      element("p", {}, "Open it with the link that the shop gave you: it says who you are.")));
  showConnection({ name: "stopped" });
}

/** An element with attributes and children; what is text stays text. */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === undefined) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== undefined && child !== null));
  return node;
}

/** The picture of a drink. */
export function picture(drink) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "drink");
  svg.setAttribute("viewBox", "0 0 48 48");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `drinks.svg#${drinks.find((known) => known.name === drink)?.id ?? "americano"}`);
  svg.append(use);
  return svg;
}

export const drinks = [
  { id: "espresso", name: "Espresso", text: "A short, strong one" },
  { id: "americano", name: "Americano", text: "Espresso and hot water" },
  { id: "cappuccino", name: "Cappuccino", text: "Equal parts, thick foam" },
  { id: "latte", name: "Latte", text: "Mostly milk, a little foam" },
  { id: "flat-white", name: "Flat white", text: "Two shots, velvet milk" },
  { id: "mocha", name: "Mocha", text: "With chocolate" },
];

/** What an event means for its order: "waiting", "making", "ready", "cancelled", or undefined for what changes nothing. */
export function stage(type, detail) {
  if (type === "OrderManager.MakeOrder") return detail.baristaUserId === "" ? "waiting" : "making";
  if (/^OrderManager\..*Completed$|^OrderManager\.Order.*-COMPLETED$/.test(type)) return "ready";
  if (/^OrderManager\..*Cancelled$|^OrderManager\.Order.*-CANCELLED$/.test(type)) return "cancelled";
  if (type === "OrderProcessor.OrderTimeOut" || type === "OrderProcessor.ShopUnavailable") return "cancelled";
  if (/^OrderProcessor\.(OrderStarted|WorkflowStarted|WaitingCompletion)$|^OrderManager\.WaitingCompletion$/.test(type)) return "waiting";
  return undefined;
}

/** `{ type, time, detail }` out of a payload; undefined for what is none, which anybody may have published. */
export function readEvent(payload) {
  try {
    const event = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    const isEvent = typeof event?.type === "string" && typeof event.detail === "object" && event.detail !== null;
    return isEvent ? event : undefined;
  } catch {
    return undefined;
  }
}

/** The part of an order's id that people read out. */
export const code = (orderId) => String(orderId).split("-")[0].slice(0, 6);

/** A name for an order: four characters that nobody takes for others, and enough behind them that no two are the same. */
export function newOrderId() {
  const letters = "ACDEFHJKLMNPRTUVWXY34679";
  const bytes = crypto.getRandomValues(new Uint8Array(4));
  return `${Array.from(bytes, (byte) => letters[byte % letters.length]).join("")}-${randomText(12)}`;
}

function randomText(length) {
  const bytes = crypto.getRandomValues(new Uint8Array(length / 2));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A name as people write it. */
export const title = (name) => name.slice(0, 1).toUpperCase() + name.slice(1);
