// The tree of topics: a level is asked for when somebody opens it.

import { get } from "../api.js";
import { ago, bytes, count, element, emptyState, errorState, field, foreign, payload, pill, preview, rate, visible } from "../dom.js";
import { afterTyping, repeat } from "../refresh.js";
import { subscriptionTable } from "./clients.js";

export const title = "Tree";

const rowsMax = 200;
const openMax = 40;

export function show({ root, parameters, signal }) {
  const search = element("input", { type: "search", value: parameters.get("search") ?? "", autocomplete: "off", spellcheck: "false" });
  const list = element("div", {});
  const detail = element("div", { class: "detail", "aria-live": "polite" });
  /** Topics whose level below is shown. */
  const open = new Set();
  let chosen;
  root.append(element("form", { class: "controls", role: "search", onsubmit: (event) => event.preventDefault() },
    field("Search", search, "A part of a topic's name, or a filter such as orders/+/#")), element("div", { class: "split" }, list, detail));

  const load = repeat(async () => {
    const rows = search.value ? await found(search.value) : await level("", 0);
    const focused = document.activeElement?.dataset?.focus;
    list.replaceChildren(treeTable(rows));
    if (focused) list.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
    if (chosen) showDetail();
  }, 3, signal, list);
  search.addEventListener("input", afterTyping(load));

  /** A level and, below each row that is open, the next. */
  async function level(under, depth) {
    const { rows, more } = await get("topics/tree", { under, limit: rowsMax }, signal);
    const all = [];
    for (const row of rows) {
      all.push({ ...row, depth });
      if (row.children > 0 && open.has(row.topic)) all.push(...await level(row.topic, depth + 1));
    }
    if (more) all.push({ depth, note: `Only the first ${rowsMax} of this level are shown: search for the others.` });
    return all;
  }

  /** Topics that a search finds, without their branches. */
  async function found(text) {
    const isFilter = /[+#]/.test(text);
    const { rows, more } = await get("topics", { limit: rowsMax, ...(isFilter ? { filter: text } : { search: text }) }, signal);
    const all = rows.map((row) => ({ ...row, name: row.topic, children: 0, isTopic: true, depth: 0 }));
    if (more) all.push({ depth: 0, note: `Only the first ${rowsMax} are shown.` });
    return all;
  }

  function toggle(row) {
    if (open.has(row.topic)) {
      for (const topic of open) if (topic === row.topic || topic.startsWith(`${row.topic}/`)) open.delete(topic);
    } else if (open.size < openMax) {
      open.add(row.topic);
    }
    load();
  }

  function treeTable(rows) {
    if (rows.length === 0) {
      return search.value ? emptyState({ text: "No topic is like that." })
        : emptyState({ text: "No message has come since the start.", hint: "Publish one under “Publish”, or: mosquitto_pub -h localhost -t hello/world -m hi" });
    }
    const titles = ["Topic", "Messages", "Per second", "Last seen", "Last payload"];
    return element("div", { class: "scroll", role: "region", "aria-label": "Topics", tabindex: "0" }, element("table", { class: "tree" },
      element("caption", { class: "unseen" }, "Topics"),
      element("thead", {}, element("tr", {}, titles.map((name, index) => element("th", { scope: "col", class: index === 1 || index === 2 ? "number" : "" }, name)))),
      element("tbody", {}, rows.map(treeRow))));
  }

  function treeRow(row) {
    if (row.note) return element("tr", {}, element("td", { colspan: "5", class: "soft" }, row.note));
    const isOpen = open.has(row.topic);
    const opener = row.children > 0 && element("button", { type: "button", class: "opener", "aria-expanded": String(isOpen), "data-focus": `open ${row.topic}`,
      "aria-label": `${visible(row.name)}: ${count(row.children)} below`, onclick: () => toggle(row) }, isOpen ? "▾" : "▸");
    const name = element("button", { type: "button", class: "link", "data-focus": row.topic, "aria-pressed": String(chosen?.topic === row.topic),
      onclick: () => { chosen = row; showDetail(true); load(); } }, foreign(row.name === "" ? "(empty level)" : row.name));
    return element("tr", { "data-topic": row.topic }, element("th", { scope: "row", class: `depth-${Math.min(row.depth, 12)}` },
      element("span", { class: "branch" }, opener || element("span", { class: "opener" }), name, row.retained && pill("retained"))),
    element("td", { class: "number", "data-title": "Messages" }, count(row.messages)), element("td", { class: "number", "data-title": "Per second" }, rate(row.messagesPerSecond)),
    element("td", { "data-title": "Last seen" }, ago(row.lastSeenSeconds)), element("td", { "data-title": "Last payload" }, preview(row.lastPayload, row.encoding, 60)));
  }

  async function showDetail(isNew = false) {
    const { topic } = chosen;
    if (isNew) detail.replaceChildren(element("p", { class: "soft" }, "Loading…"));
    try {
      const isTopicName = !/[+#]/.test(topic);
      const [retained, subscriptions] = await Promise.all([
        isTopicName ? get("retained", { filter: topic, limit: 1 }, signal) : { rows: [] },
        isTopicName ? get("subscriptions", { topic }, signal) : { rows: [] },
      ]);
      if (chosen?.topic === topic) detail.replaceChildren(...detailView(chosen, retained.rows[0], subscriptions.rows).filter(Boolean));
    } catch (error) {
      if (!signal.aborted && isNew) detail.replaceChildren(errorState(error));
    }
  }

  function detailView(row, retained, subscriptions) {
    const query = encodeURIComponent(row.topic);
    const shown = retained ?? (row.lastPayload === undefined ? undefined : { payload: row.lastPayload, encoding: row.encoding, truncated: row.truncated });
    return [element("h2", {}, foreign(row.topic)),
      element("p", { class: "links" }, row.children > 0 && element("a", { href: `#/topics/tail?filter=${query}${encodeURIComponent("/#")}` }, "Tail all below"),
        element("a", { href: `#/topics/tail?filter=${query}` }, "Tail"), element("a", { href: `#/topics/publish?topic=${query}` }, "Publish here"),
        retained && element("a", { href: `#/topics/retained?filter=${query}` }, "Remove…")),
      element("h3", {}, retained ? "Retained message" : "Last payload"),
      retained && element("p", { class: "soft" }, `${bytes(retained.bytes)}, QoS ${retained.qos}, ${ago(retained.ageSeconds)}`,
        retained.expiresSeconds === undefined ? ", for ever" : `, expires in ${count(retained.expiresSeconds)} s`,
        retained.publisher && [", by ", foreign(retained.publisher)]),
      shown ? payload(shown.payload, shown.encoding, !shown.truncated) : element("p", { class: "soft" }, row.isTopic === false ? "This is a branch, and no topic itself." : "Not looked at yet."),
      element("h3", {}, "Who gets it"), subscriptionTable(subscriptions, { withClient: true, isShort: true })];
  }
}
