// The barista's screen: every order's last status, and what the barista does, published under the barista's own name.

import { askForLink, code, connect, element, eventId, picture, readEvent, stage, title, user } from "./screen.js";

const find = (id) => document.getElementById(id);
const endedMillisecondsMax = 10 * 60 * 1_000;
const columns = { waiting: "waiting", making: "making", ready: "ended", cancelled: "ended" };

let client;
let me;
/** By order id: { orderId, userId, drink, milk, stage, since, placed, isBusy }. */
const orders = new Map();

function receive(topic, payload) {
  const event = readEvent(payload);
  const reached = event && stage(event.type, event.detail);
  if (!reached) return;
  const { orderId, userId, drink, milk, placed } = event.detail;
  const since = Date.parse(event.time) || Date.now();
  const known = orders.get(String(orderId));
  const order = {
    orderId: String(orderId), userId: String(userId ?? known?.userId ?? ""), drink: String(drink ?? known?.drink ?? ""), milk: milk ?? known?.milk,
    stage: reached, since, placed: known?.placed ?? (Date.parse(placed) || since), isBusy: false,
  };
  orders.set(order.orderId, order);
  if (!known && reached === "waiting") find("news").textContent = `New order ${code(order.orderId)}: ${order.drink} for ${title(order.userId)}.`;
  show();
}

/** Says what becomes of an order: resolves when the broker has it. The screen changes when the event comes back. */
async function act(order, state, more = {}) {
  order.isBusy = true;
  find("problem").textContent = "";
  show();
  const { orderId, userId, drink, milk, placed } = order;
  const payload = { orderId, userId, drink, milk, placed: new Date(placed).toISOString(), ORDERSTATE: state, ...more };
  try {
    await client.publish(`serverlesspresso-counter/${eventId}/${me.name}`, JSON.stringify(payload));
  } catch (error) {
    find("problem").textContent = `Order ${code(orderId)} was not changed: ${error.message}.`;
    order.isBusy = false;
    show();
  }
}

function askToCancel(order) {
  const dialog = find("cancel");
  find("cancel-text").textContent = `${code(order.orderId)}, ${order.drink} for ${title(order.userId)}. The customer is told at once.`;
  dialog.returnValue = "keep";
  dialog.onclose = () => { if (dialog.returnValue === "cancel") act(order, "CANCELLED", { reason: "by the barista" }); };
  dialog.showModal();
}

function button(order, label, kind, action) {
  const name = `${label} order ${code(order.orderId)}, ${order.drink} for ${title(order.userId)}`;
  return element("button", { type: "button", class: kind, "aria-label": name, disabled: order.isBusy, "data-action": label, onclick: action }, label);
}

function age(order) {
  const minutes = Math.floor((Date.now() - order.placed) / 60_000);
  return minutes < 1 ? "just now" : minutes < 60 ? `${minutes} min ago` : `${Math.floor(minutes / 60)} h ago`;
}

function row(order) {
  const node = element("li", { "data-order": order.orderId, "data-stage": order.stage },
    element("div", { class: "row" }, element("strong", { class: "code" }, code(order.orderId)), picture(order.drink),
      element("div", { class: "what" }, element("span", { class: "name" }, order.drink),
        element("span", { class: "text" }, [order.milk, title(order.userId)].filter(Boolean).join(" · ")),
        element("span", { class: "text" }, order.stage === "cancelled" ? "cancelled" : age(order)))));
  const buttons = {
    waiting: () => [button(order, "Start", "primary", () => act(order, "MAKING")), button(order, "Cancel", "quiet", () => askToCancel(order))],
    making: () => [button(order, "Complete", "primary", () => act(order, "COMPLETED")), button(order, "Cancel", "quiet", () => askToCancel(order))],
  }[order.stage]?.();
  if (buttons) node.append(element("div", { class: "buttons" }, ...buttons));
  return node;
}

function show() {
  const focused = document.activeElement?.closest?.("[data-order]")?.dataset.order;
  const rows = { waiting: [], making: [], ended: [] };
  const sorted = [...orders.values()].sort((one, other) => one.placed - other.placed);
  for (const order of sorted) {
    if (columns[order.stage] === "ended" && Date.now() - order.since > endedMillisecondsMax) orders.delete(order.orderId);
    else rows[columns[order.stage]].push(order);
  }
  rows.ended.sort((one, other) => other.since - one.since);
  for (const [name, column] of Object.entries(rows)) {
    find(name).replaceChildren(...column.map(row));
    find(`${name}-count`).textContent = column.length;
    find(`${name}-empty`).hidden = column.length > 0;
  }
  // Whoever works with the keyboard goes on with the same order.
  if (focused) document.querySelector(`[data-order="${CSS.escape(focused)}"] button:not(:disabled)`)?.focus();
}

function begin() {
  me = user();
  if (!me) return askForLink();
  client = connect(me);
  client.subscribe(`serverlesspresso-orders/${eventId}/+`, receive).catch((error) => {
    find("problem").textContent = `This page may not see the orders: ${error.message}.`;
  });
  client.start();
  setInterval(show, 20_000);
}

begin();
