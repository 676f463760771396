// Retained messages, and their removal: seen first, then done.

import { change, get } from "../api.js";
import { ago, announce, bytes, confirm, count, element, field, foreign, preview, refill, table } from "../dom.js";
import { afterTyping, repeat } from "../refresh.js";

export const title = "Retained";

export function show({ root, parameters, signal }) {
  const filter = element("input", { type: "text", value: parameters.get("filter") ?? "#", required: true, autocomplete: "off", spellcheck: "false" });
  const age = element("input", { type: "number", min: "0", value: "", inputmode: "numeric" });
  const list = element("div", {});
  const result = element("p", { role: "status" }, "");
  root.append(element("form", { class: "controls", onsubmit: (event) => { event.preventDefault(); remove(); } },
    field("Filter", filter, "Such as orders/nyc/#"), field("Older than, seconds", age), element("button", { type: "submit", class: "danger" }, "Remove these…")), result, list);
  const query = () => ({ filter: filter.value, olderThanSeconds: age.value || undefined });

  const load = repeat(async () => {
    const { rows, more } = await get("retained", { ...query(), limit: 200 }, signal);
    refill(list, table("Retained messages", [
      { title: "Topic", cell: (row) => foreign(row.topic) }, { title: "Payload", cell: (row) => preview(row.payload, row.encoding) },
      { title: "Size", number: true, cell: (row) => bytes(row.bytes) }, { title: "QoS", number: true, cell: (row) => row.qos }, { title: "Age", cell: (row) => ago(row.ageSeconds) },
      { title: "Expires", cell: (row) => (row.expiresSeconds === undefined || row.expiresSeconds === null ? "never" : `in ${count(row.expiresSeconds)} s`) },
      { title: "Publisher", cell: (row) => (row.publisher ? foreign(row.publisher) : "–") },
    ], rows, { text: "No retained message.", hint: "A message that is published with the retain flag is kept for those who subscribe later." }));
    if (more) list.append(element("p", { class: "soft" }, "Only the first 200 are shown."));
  }, 5, signal, list);
  for (const input of [filter, age]) input.addEventListener("input", afterTyping(load));

  async function remove() {
    result.className = "";
    try {
      const found = await change("DELETE", "retained", undefined, { ...query(), preview: true });
      if (found.matched === 0) return result.replaceChildren("No retained message matches that.");
      const content = element("div", {}, element("p", {}, `${count(found.matched)} retained messages go. Whoever subscribes later does not get them.`),
        element("ul", { class: "names" }, found.topics.slice(0, 20).map((topic) => element("li", {}, foreign(topic)))), found.matched > 20 && element("p", { class: "soft" }, `and ${count(found.matched - 20)} more`));
      if (!await confirm("Remove retained messages?", content, `Remove ${count(found.matched)}`)) return;
      const { removed } = await change("DELETE", "retained", undefined, query());
      result.replaceChildren(`${count(removed)} removed.`);
      announce(`${removed} removed`);
      load();
    } catch (error) {
      result.className = "problem";
      result.textContent = error.message;
    }
  }
}
