// A message, as the broker itself would publish it.

import { change } from "../api.js";
import { announce, element, field, foreign, select } from "../dom.js";

export const title = "Publish";

export function show({ root, parameters }) {
  const topic = element("input", { type: "text", value: parameters.get("topic") ?? "hello/world", required: true, autocomplete: "off", spellcheck: "false" });
  const text = element("textarea", { rows: "8", spellcheck: "false", class: "code" });
  const qos = select([["0", "0, at most once"], ["1", "1, at least once"], ["2", "2, exactly once"]], "1");
  const retain = element("input", { type: "checkbox" });
  const result = element("p", { role: "status" }, "");
  root.append(element("form", { class: "panel narrow", onsubmit: async (event) => {
    event.preventDefault();
    result.className = "";
    try {
      await change("POST", "publish", { topic: topic.value, payload: text.value, encoding: "utf-8", qos: Number(qos.value), retain: retain.checked });
      result.replaceChildren("Published to ", foreign(topic.value), ".");
      announce("Published");
    } catch (error) {
      result.className = "problem";
      result.textContent = error.message;
    }
  } }, field("Topic", topic, "A name, without wildcards; subscribers and rules get it as any other message"), field("Payload", text), field("Quality of service", qos),
  element("label", { class: "check" }, retain, " Retain it for those who subscribe later"), element("div", { class: "buttons" }, element("button", { type: "submit", class: "primary" }, "Publish")), result));
}
