import { get } from "../api.js";
import { element, field, refill } from "../dom.js";
import { afterTyping, repeat } from "../refresh.js";
import { subscriptionTable } from "./clients.js";

export const title = "Subscriptions";

export function show({ root, parameters, signal }) {
  const topic = element("input", { type: "text", value: parameters.get("topic") ?? "", autocomplete: "off", spellcheck: "false", placeholder: "orders/nyc/device-1" });
  const filter = element("input", { type: "text", value: parameters.get("filter") ?? "", autocomplete: "off", spellcheck: "false" });
  const client = element("input", { type: "text", value: parameters.get("client") ?? "", autocomplete: "off", spellcheck: "false" });
  const list = element("div", {});
  const heading = element("h2", {});
  root.append(element("form", { class: "controls", role: "search", onsubmit: (event) => event.preventDefault() },
    field("Who gets the topic", topic, "A topic's name, without wildcards"), field("Filter", filter, "As subscribed, such as orders/+"), field("Client", client)),
  heading, list);
  const load = repeat(async () => {
    const query = topic.value ? { topic: topic.value } : { filter: filter.value, client: client.value, limit: 500 };
    filter.disabled = client.disabled = topic.value !== "";
    const { rows, more } = await get("subscriptions", query, signal);
    const count = `${rows.length}${more ? " and more" : ""}`;
    heading.textContent = topic.value ? `${count} would get a message there` : `${count} subscriptions`;
    refill(list, subscriptionTable(rows, { withClient: true }));
  }, 5, signal, list);
  for (const input of [topic, filter, client]) input.addEventListener("input", afterTyping(load));
}
