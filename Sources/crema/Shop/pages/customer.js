// The customer's page: an order by HTTP, its status by MQTT. Whatever was missed meanwhile is retained, so a page that comes late has it.

import { askForLink, code, connect, drinks, element, eventId, newOrderId, picture, readEvent, stage, title, user } from "./screen.js";

const find = (id) => document.getElementById(id);
const texts = {
  sent: "Sent. The shop has it in a moment.",
  waiting: "The shop has your order. It waits for a barista.",
  making: "A barista is making your drink.",
  ready: "Ready! Please pick it up at the counter.",
  cancelled: "This order was cancelled. Nothing is charged.",
};
const order = ["sent", "waiting", "making", "ready"];

let me;
/** The order that is shown: { orderId, drink, milk, stage }. */
let current;

function show() {
  const isOver = current?.stage === "ready" || current?.stage === "cancelled";
  find("ticket").hidden = !current;
  find("order").hidden = Boolean(current);
  find("greeting").textContent = current ? `Hello ${title(me.name)}` : `Hello ${title(me.name)}, what will it be?`;
  if (!current) return;
  find("ticket").dataset.stage = current.stage;
  find("code").textContent = code(current.orderId);
  find("drink").textContent = [current.drink, current.milk].filter(Boolean).join(", ");
  find("picture").replaceChildren(picture(current.drink));
  find("status").textContent = current.reason ? `${texts[current.stage]} (${current.reason})` : texts[current.stage];
  find("again").hidden = !isOver;
  const place = order.indexOf(current.stage);
  for (const step of find("steps").children) {
    const own = order.indexOf(step.dataset.stage);
    step.dataset.state = own < place || current.stage === "ready" ? "done" : own === place ? "now" : "next";
    if (own === place) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  }
  document.title = `${code(current.orderId)}: ${texts[current.stage]}`;
}

function receive(topic, payload, isRetained) {
  const event = readEvent(payload);
  const reached = event && stage(event.type, event.detail);
  if (!reached) return;
  const { orderId, drink, milk, reason } = event.detail;
  if (orderId === dismissed()) return;
  // What is retained may be of an order before the one that was just sent.
  if (isRetained && current?.stage === "sent" && orderId !== current.orderId) return;
  const known = current?.orderId === orderId ? current : {};
  current = { orderId: String(orderId), drink: String(drink ?? known.drink ?? "Coffee"), milk: milk ?? known.milk, stage: reached, reason };
  show();
}

/** The order that the customer has seen the end of. */
const dismissed = () => sessionStorage.getItem("crema-dismissed");

async function send(event) {
  event.preventDefault();
  const form = new FormData(find("order"));
  const detail = { userId: me.name, orderId: newOrderId(), eventId, drink: form.get("drink"), milk: form.get("milk") };
  find("send").disabled = true;
  find("problem").textContent = "";
  try {
    const answer = await fetch("/order", {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ detail }), signal: AbortSignal.timeout(10_000),
    });
    const result = await answer.json();
    if (!answer.ok || result.FailedEntryCount !== 0) throw new Error(result.message ?? `the shop answered ${answer.status}`);
    // Its status may have been faster than the answer.
    if (current?.orderId !== detail.orderId) current = { ...detail, stage: "sent" };
    show();
    find("ticket-title").scrollIntoView({ block: "nearest" });
  } catch (error) {
    find("problem").textContent = `The order was not taken (${error.message}). Please try again.`;
  } finally {
    find("send").disabled = false;
  }
}

function begin() {
  me = user();
  if (!me) return askForLink();
  find("menu").append(...drinks.map(({ id, name, text }, index) => element("label", { class: "card" },
    element("input", { type: "radio", name: "drink", value: name, checked: index === 2, id }), picture(name),
    element("span", { class: "name" }, name), element("span", { class: "text" }, text))));
  find("order").addEventListener("submit", send);
  find("again").addEventListener("click", () => {
    sessionStorage.setItem("crema-dismissed", current.orderId);
    current = undefined;
    document.title = "Order a coffee";
    show();
    find("menu").querySelector("input:checked").focus();
  });
  show();
  const client = connect(me);
  client.subscribe(`serverlesspresso-user-${me.name}`, receive).catch((error) => {
    find("problem").textContent = `This page may not see the status of ${me.name}'s orders: ${error.message}.`;
  });
  client.start();
}

begin();
