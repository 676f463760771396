import { get } from "../api.js";
import { Series, Sparkline } from "../chart.js";
import { bytes, count, duration, element, emptyState, foreign, milliseconds, pill, rate, refill, table } from "../dom.js";
import { repeat } from "../refresh.js";

export const title = "Overview";

/** What each tile shows: its name, how it is written, and the figure in a document of the stream `live`. */
const tiles = [
  { name: "Messages in", unit: "/s", format: rate, value: ({ rates }) => rates.messagesInPerSecond },
  { name: "Messages out", unit: "/s", format: rate, value: ({ rates }) => rates.messagesOutPerSecond },
  { name: "Connections", format: count, value: ({ statistics }) => statistics.broker.clientsConnected,
    note: ({ statistics }) => `${count(statistics.broker.clientsOffline)} sessions offline, at most ${count(statistics.broker.clientsMaximum)} at once` },
  { name: "Drops", unit: "/s", format: rate, value: ({ rates }) => rates.dropsPerSecond, isBad: (value) => value > 0,
    note: ({ statistics }) => `${count(sum(statistics.broker.messagesDropped))} since the start` },
  { name: "Latency, 99 of 100", format: milliseconds, value: ({ latency }) => latency.p99Milliseconds,
    note: ({ latency }) => (latency.samples ? `half within ${milliseconds(latency.p50Milliseconds)}` : "no message in this second") },
  { name: "Event loop lag", format: milliseconds, value: (beat) => beat.eventLoopLagMilliseconds, isBad: (value) => value > 100 },
  { name: "Bytes in", unit: "/s", format: bytes, value: ({ rates }) => rates.bytesInPerSecond },
  { name: "Bytes out", unit: "/s", format: bytes, value: ({ rates }) => rates.bytesOutPerSecond },
  { name: "Waiting messages", format: count, value: ({ statistics }) => statistics.broker.messagesQueued,
    note: ({ statistics }) => `${count(statistics.broker.messagesInFlight)} in flight` },
  { name: "New connections", unit: "/s", format: rate, value: ({ rates }) => rates.connectsPerSecond },
];
/** Kept while the console is open, so that whoever comes back sees the two minutes before. */
const series = tiles.map(() => new Series());
let isCounting = false;

const sum = (counts) => Object.values(counts ?? {}).reduce((total, value) => total + value, 0);

/** Collects the figures also while another view is shown. */
function collect(pulse) {
  if (isCounting) return;
  isCounting = true;
  pulse.addEventListener("beat", ({ detail }) => tiles.forEach((tile, index) => series[index].add(tile.value(detail))));
}

function tileView(tile, index) {
  const chart = new Sparkline(tile.name, (value) => `${tile.format(value)}${tile.unit ?? ""}`);
  const number = element("span", { class: "value" }, "–");
  const note = element("p", { class: "note" }, " ");
  const node = element("section", { class: "tile", "aria-label": tile.name },
    element("h2", {}, tile.name), element("p", { class: "figure" }, number, tile.unit && element("span", { class: "unit" }, tile.unit)), chart.node, note);
  chart.draw(series[index]);
  return { node, update(beat) {
    const value = tile.value(beat);
    number.textContent = tile.format(value);
    node.classList.toggle("bad", Boolean(tile.isBad?.(value ?? 0)));
    note.textContent = tile.note?.(beat) ?? " ";
    chart.draw(series[index]);
  } };
}

/** What wants somebody's eye, each with the view that tells more. */
function findings({ broker, events, store }, certificates) {
  const found = [];
  const add = (kind, text, view) => found.push({ kind, text, view });
  if (store?.failing) add("bad", "The store cannot write: nothing is acknowledged that has to last.", "log");
  if (store?.setAside > 0) add("warn", `${count(store.setAside)} records of the store could not be read and were set aside.`, "log");
  if (events.deliveriesFailed > 0) add("warn", `${count(events.deliveriesFailed)} deliveries of rules failed since the start.`, "deadletters");
  if (sum(broker.messagesDropped) > 0) {
    const reasons = Object.entries(broker.messagesDropped).filter(([, value]) => value > 0).map(([reason, value]) => `${count(value)} ${reason}`);
    add("warn", `Messages were dropped: ${reasons.join(", ")}.`, "clients?sort=dropped");
  }
  if (broker.authenticationsFailed > 0) add("warn", `${count(broker.authenticationsFailed)} clients could not prove who they are.`, "log");
  for (const { subject, daysLeft } of certificates.filter((row) => row.daysLeft < 30)) {
    add(daysLeft < 7 ? "bad" : "warn", daysLeft < 0 ? `The certificate of ${subject} has ended.` : `The certificate of ${subject} ends in ${daysLeft} days.`, "certificates");
  }
  return found;
}

function findingsView(found) {
  if (found.length === 0) return element("p", { class: "fine" }, pill("OK", "good"), " Nothing dropped, nothing failed, nothing ends soon.");
  return element("ul", { class: "findings" }, found.map(({ kind, text, view }) =>
    element("li", {}, pill(kind === "bad" ? "Now" : "Look", kind), element("span", {}, foreign(text)), element("a", { href: `#/${view}` }, "Show"))));
}

function storeView({ store, broker }) {
  const commit = store?.commits ? milliseconds((store.commitSeconds / store.commits) * 1_000) : "–";
  const rows = [
    ["Durability", store?.durability ?? "memory"], ["Commits", count(store?.commits ?? 0)], ["A commit takes", commit],
    ["Changes waiting", count(store?.waitingChanges ?? 0)], ["Retained messages", `${count(broker.retainedMessages)} (${bytes(broker.retainedBytes)})`],
    ["Subscriptions", count(broker.subscriptions)], ["Up for", duration(broker.uptimeSeconds)],
  ];
  return element("dl", { class: "facts" }, rows.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

export function show({ root, signal, pulse }) {
  collect(pulse);
  const views = tiles.map(tileView);
  const look = element("div", {});
  const store = element("div", {});
  const listeners = element("div", {});
  let certificates = [];
  let rows = [];
  root.append(element("section", { "aria-labelledby": "look-title", class: "panel" }, element("h2", { id: "look-title" }, "Health"), look),
    element("div", { class: "tiles" }, views.map(({ node }) => node)),
    element("section", { class: "panel", "aria-labelledby": "listeners-title" }, element("h2", { id: "listeners-title" }, "Listeners"), listeners),
    element("section", { class: "panel", "aria-labelledby": "store-title" }, element("h2", { id: "store-title" }, "Store and memory"), store));
  look.append(emptyState({ text: "Waiting for the first figures…" }));

  function update(beat) {
    for (const view of views) view.update(beat);
    refill(look, findingsView(findings(beat.statistics, certificates)));
    refill(store, storeView(beat.statistics));
    showListeners(beat.listeners ?? []);
  }

  function showListeners(live) {
    const now = new Map(live.map((row) => [row.listener, row]));
    refill(listeners, table("Listeners", [
      { title: "Listener", cell: (row) => foreign(row.listener) },
      { title: "Authentication", cell: (row) => row.authentication },
      { title: "TLS", cell: (row) => (row.tls ? pill("TLS", "good") : pill("plain", "")) },
      { title: "Connected", number: true, cell: (row) => count(now.get(row.listener)?.connected ?? row.connected) },
      { title: "Accepted", number: true, cell: (row) => count(row.accepted) },
      { title: "Messages in /s", number: true, cell: (row) => rate(now.get(row.listener)?.messagesInPerSecond) },
    ], rows, { text: "No listener is open." }));
  }

  pulse.addEventListener("beat", ({ detail }) => update(detail), { signal });
  repeat(async () => { rows = (await get("listeners", {}, signal)).rows; showListeners([]); }, 10, signal, listeners);
  repeat(async () => { certificates = (await get("certificates", {}, signal)).rows; }, 300, signal);
}
