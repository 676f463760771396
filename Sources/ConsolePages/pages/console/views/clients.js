import { change, clientPath, get, stream } from "../api.js";
import { announce, bytes, confirm, count, duration, element, facts, field, foreign, pill, refill, select, table, visible } from "../dom.js";
import { afterTyping, repeat } from "../refresh.js";

export const title = "Clients";

const sorts = [["queued", "Longest queue first"], ["dropped", "Most drops first"], ["inFlight", "Most in flight first"], ["id", "By name"]];
const states = [["", "All"], ["connected", "Connected"], ["offline", "Offline sessions"]];
const traceLinesMax = 500;

export const address = (id) => `#/clients/${encodeURIComponent(id)}`;

export function show(context) {
  if (context.rest.length > 0) showClient(context, context.rest[0]);
  else showList(context);
}

function state(client) {
  if (!client.connected) return pill("offline");
  return client.slow ? pill("slow", "bad") : client.dropped > 0 ? pill("dropped", "warn") : pill("connected", "good");
}

const columns = [
  { title: "Client", cell: (client) => element("a", { href: address(client.clientID) }, foreign(client.clientID)) },
  { title: "State", cell: state },
  { title: "Identity", cell: (client) => (client.principal ? foreign(client.principal) : element("span", { class: "soft" }, "anonymous")) },
  { title: "Address", cell: (client) => foreign(client.peer ?? "–") },
  { title: "TLS", cell: (client) => (client.tls ? `${client.tls.version}` : "–") },
  { title: "MQTT", cell: (client) => client.protocolVersion },
  { title: "Keep alive", number: true, cell: (client) => `${client.keepAliveSeconds} s` },
  { title: "Queue", number: true, cell: (client) => count(client.queued) },
  { title: "In flight", number: true, cell: (client) => count(client.inFlight) },
  { title: "Drops", number: true, cell: (client) => count(client.dropped) },
];

function showList({ root, parameters, signal }) {
  const search = element("input", { type: "search", value: parameters.get("search") ?? "", autocomplete: "off", spellcheck: "false" });
  const sort = select(sorts, parameters.get("sort") ?? "queued");
  const which = select(states, parameters.get("state") ?? "");
  const list = element("div", {});
  root.append(element("form", { class: "controls", role: "search", onsubmit: (event) => event.preventDefault() },
    field("Search", search), field("Order", sort), field("State", which)), list);
  const load = repeat(async () => {
    const { rows, more } = await get("clients", { limit: 200, search: search.value, sort: sort.value, state: which.value }, signal);
    refill(list, table("Clients", columns, rows, search.value || which.value
      ? { text: "No client is like that.", hint: "Search looks at names, identities and addresses." }
      : { text: "No client is connected.", hint: "Try: mosquitto_sub -h localhost -t 'hello/#' -v" }));
    if (more) list.append(element("p", { class: "soft" }, "Only the first 200 are shown: search for the others."));
  }, 3, signal, list);
  search.addEventListener("input", afterTyping(load));
  sort.addEventListener("change", load);
  which.addEventListener("change", load);
}

function showClient({ root, signal }, id) {
  const content = element("div", {});
  const problem = element("p", { class: "problem", role: "alert" });
  const end = element("button", { type: "button", class: "danger", onclick: () => kick(id, problem, load) }, "Disconnect…");
  root.append(element("p", {}, element("a", { href: "#/clients" }, "← All clients")),
    element("div", { class: "title-row" }, element("h2", {}, foreign(id)), end), problem, content, tracePanel(id, signal));
  const load = repeat(async () => {
    const client = await get(...clientPath(id), signal);
    const parts = [clientFacts(client), drops(client), refusals(client),
      element("section", { class: "panel" }, element("h3", {}, "Subscriptions"), subscriptionTable(client.subscriptionList ?? []))];
    refill(content, ...parts.filter(Boolean));
  }, 3, signal, content);
}

function clientFacts(client) {
  return element("section", { class: "panel" }, facts([
    ["State", state(client)], ["Identity", client.principal ? foreign(client.principal) : "anonymous"],
    client.userName && ["User name", foreign(client.userName)], ["Address", client.peer && foreign(client.peer)], ["Listener", client.listener && foreign(client.listener)],
    ["TLS", client.tls && `${client.tls.version}${client.tls.cipher ? `, ${client.tls.cipher}` : ""}`],
    client.tls?.certificate && ["Certificate", foreign(client.tls.certificate)],
    ["MQTT", client.protocolVersion], ["Keep alive", `${client.keepAliveSeconds} s`], ["Session", client.cleanSession ? "ends with the connection" : "outlives the connection"],
    ["Connected", client.connected ? duration(client.connectedSeconds) : "no"], ["Queue", `${count(client.queued)} messages${client.queuedBytes === undefined ? "" : `, ${bytes(client.queuedBytes)}`}`],
    ["In flight", count(client.inFlight)], ["Drops", count(client.dropped)],
  ]));
}

function drops(client) {
  const rows = Object.entries(client.drops ?? {}).filter(([, value]) => value > 0);
  return rows.length > 0 && element("section", { class: "panel" }, element("h3", {}, "Dropped, and why"), facts(rows.map(([reason, value]) => [reason, count(value)])));
}

function refusals(client) {
  return (client.refusals ?? []).length > 0 && element("section", { class: "panel" }, element("h3", {}, "Asked for, and refused"),
    table("Refusals", [
      { title: "Resource", cell: (row) => foreign(row.resource) }, { title: "To", cell: (row) => row.kind },
      { title: "Why", cell: (row) => visible(row.reason) }, { title: "Times", number: true, cell: (row) => count(row.count) },
    ], client.refusals, { text: "" }));
}

/** Subscriptions; `withClient` says whose they are, `isShort` leaves out what is seldom said. */
export function subscriptionTable(rows, { withClient = false, isShort = false } = {}) {
  const columns = [
    { title: "Filter", cell: (row) => foreign(row.filter) },
    ...(withClient ? [{ title: "Client", cell: (row) => [element("a", { href: address(row.clientID) }, foreign(row.clientID)), row.connected ? "" : [" ", pill("offline")]] }] : []),
    { title: "QoS", number: true, cell: (row) => row.qos },
  ];
  const more = [
    { title: "Shared by", cell: (row) => (row.share ? foreign(row.share) : "–") },
    { title: "Options", cell: (row) => [row.noLocal && "not its own", row.retainAsPublished && "retain as published", row.subscriptionIdentifier && `identifier ${row.subscriptionIdentifier}`].filter(Boolean).join(", ") || "–" },
  ];
  return table("Subscriptions", isShort ? columns : [...columns, ...more], rows, { text: "No subscription.", hint: withClient ? "Nobody would get a message there." : "This client gets nothing by itself." });
}

async function kick(id, problem, load) {
  const session = element("input", { type: "checkbox" });
  const content = element("div", {}, element("p", {}, "Its connection to the broker ends. A client that connects by itself will be back in a moment."),
    element("p", {}, foreign(id)), element("label", { class: "check" }, session, " End its session, too: subscriptions and waiting messages are lost"));
  if (!await confirm("Disconnect this client?", content, "Disconnect")) return;
  problem.textContent = "";
  try {
    const { closed, sessionRemoved } = await change("DELETE", clientPath(id)[0], undefined, { ...clientPath(id)[1], session: session.checked && "remove" });
    announce(`${closed ? "Disconnected" : "It was not connected"}${sessionRemoved ? ", session ended" : ""}`);
    if (sessionRemoved) location.hash = "#/clients";
    else load();
  } catch (error) {
    problem.textContent = error.message;
  }
}

/** A client's packets as they pass, for a minute or until somebody stops it. */
function tracePanel(id, signal) {
  const lines = element("ol", { class: "lines", role: "log", "aria-label": "Packets", tabindex: "0" });
  const status = element("p", { class: "soft", role: "status" }, "Shows its packets and what was decided about them, without payloads and passwords, for a minute.");
  let running;
  const button = element("button", { type: "button" }, "Start the trace");
  button.onclick = async () => {
    if (running) return running.abort();
    running = new AbortController();
    const stop = () => running?.abort();
    signal.addEventListener("abort", stop);
    button.textContent = "Stop the trace";
    lines.replaceChildren();
    try {
      status.textContent = "Tracing…";
      for await (const step of stream(`${clientPath(id)[0]}/trace`, { ...clientPath(id)[1], seconds: 60 }, running.signal)) add(step);
      status.textContent = "The trace has ended.";
    } catch (error) {
      status.textContent = running.signal.aborted ? "Stopped." : `The trace broke off: ${error.message}`;
    }
    signal.removeEventListener("abort", stop);
    running = undefined;
    button.textContent = "Start the trace";
  };
  function add({ time, direction, packet, detail, order, skipped }) {
    const names = order ?? Object.keys(detail ?? {});
    const text = names.map((name) => `${name} ${typeof detail[name] === "object" ? JSON.stringify(detail[name]) : detail[name]}`).join(", ");
    if (skipped > 0) lines.append(element("li", { class: "skipped" }, `${count(skipped)} lines were left out`));
    lines.append(element("li", { "data-kind": direction }, element("time", {}, time.slice(11, 23)), " ",
      element("b", {}, { in: "→", out: "←", decision: "·" }[direction] ?? direction, " ", visible(packet)), " ", foreign(text)));
    while (lines.children.length > traceLinesMax) lines.firstChild.remove();
    lines.scrollTop = lines.scrollHeight;
  }
  return element("section", { class: "panel" }, element("div", { class: "title-row" }, element("h3", {}, "Trace"), button), status, lines);
}

