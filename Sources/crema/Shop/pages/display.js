// The display over the counter: which orders are made, and which are ready. It has no right to see whose they are.

import { askForLink, code, connect, element, eventId, picture, readEvent, stage, user } from "./screen.js";

const find = (id) => document.getElementById(id);
const readyMillisecondsMax = 10 * 60 * 1_000;
/** By order id: { orderId, drink, stage, since, node }. */
const orders = new Map();

function receive(topic, payload) {
  const event = readEvent(payload);
  const reached = event && stage(event.type, event.detail);
  if (!reached) return;
  const orderId = String(event.detail.orderId);
  if (reached === "cancelled") orders.delete(orderId);
  else orders.set(orderId, { orderId, drink: String(event.detail.drink), stage: reached, since: Date.parse(event.time) || Date.now() });
  show();
}

const row = ({ orderId, drink, stage: reached }) => element("li", { "data-order": orderId, "data-stage": reached },
  element("strong", { class: "code" }, code(orderId)), picture(drink), element("span", { class: "name" }, drink));

function show() {
  const sorted = [...orders.values()].sort((one, other) => one.since - other.since);
  for (const order of sorted) {
    if (order.stage === "ready" && Date.now() - order.since > readyMillisecondsMax) orders.delete(order.orderId);
  }
  fill("making", sorted.filter((order) => order.stage !== "ready"));
  fill("ready", sorted.filter((order) => order.stage === "ready" && orders.has(order.orderId)).reverse());
  find("clock").textContent = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** Keeps the elements of orders that stay, so that what is read out, and what lights up, is what is new. */
function fill(id, column) {
  const list = find(id);
  const kept = new Map([...list.children].map((node) => [`${node.dataset.order} ${node.dataset.stage}`, node]));
  list.replaceChildren(...column.map((order) => kept.get(`${order.orderId} ${order.stage}`) ?? row(order)));
  find(`${id}-empty`).hidden = column.length > 0;
}

function begin() {
  const me = user();
  if (!me) return askForLink();
  const client = connect(me);
  client.subscribe(`serverlesspresso-board/${eventId}/+`, receive).catch(() => {
    find("making-empty").textContent = "This display may not see the orders.";
  });
  client.start();
  show();
  setInterval(show, 5_000);
}

begin();
