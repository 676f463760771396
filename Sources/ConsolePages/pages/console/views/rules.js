import { change, get } from "../api.js";
import { announce, count, element, emptyState, errorState, facts, field, foreign, milliseconds, payload, pill, refill, table, visible } from "../dom.js";
import { repeat } from "../refresh.js";

export const title = "Rules";

const columns = [
  { title: "Rule", cell: (rule) => [element("a", { href: address(rule) }, foreign(rule.name)), rule.enabled ? "" : [" ", pill("disabled")]] },
  { title: "Kind", cell: (rule) => (rule.kind === "topic" ? "topic rule" : rule.schedule ? "schedule" : "event rule") },
  { title: "Bus", cell: (rule) => (rule.bus ? foreign(rule.bus) : "–") },
  { title: "Matched", number: true, cell: (rule) => count(rule.matched) },
  { title: "Delivered", number: true, cell: (rule) => count(rule.delivered) },
  { title: "Failed", number: true, cell: (rule) => (rule.failed > 0 ? pill(count(rule.failed), "bad") : "0") },
  { title: "Waiting", number: true, cell: (rule) => count(rule.pending ?? 0) },
  { title: "Latency", number: true, cell: latency },
  { title: "Last error", cell: (rule) => (rule.lastError ? foreign(rule.lastError) : "–") },
  { title: "Written in", cell: (rule) => foreign(place(rule), "code") },
];

const address = (rule) => `#/rules/${encodeURIComponent(rule.name)}${rule.bus ? `?bus=${encodeURIComponent(rule.bus)}` : ""}`;
const place = ({ location }) => String(location ?? "").split("/").slice(-2).join("/");

function latency(rule) {
  const value = rule.latency;
  if (value === undefined || value === null) return "–";
  return typeof value === "number" ? milliseconds(value) : milliseconds(value.p99Milliseconds ?? value.p50Milliseconds);
}

export function show({ root, rest, parameters, signal }) {
  const list = element("div", {});
  if (rest.length > 0) {
    root.append(element("p", {}, element("a", { href: "#/rules" }, "← All rules")), element("h2", {}, foreign(rest[0])), list, trialPanel(rest[0], parameters.get("bus")));
  } else {
    root.append(list, trialPanel());
  }
  repeat(async () => {
    const { rows } = await get("rules", {}, signal);
    if (rest.length === 0) {
      return refill(list, table("Rules", columns, rows, { text: "No rule.", hint: "Rules are written in the templates that the configuration names under `resources`, or made by API." }));
    }
    const rule = rows.find(({ name, bus }) => name === rest[0] && (!parameters.get("bus") || bus === parameters.get("bus")));
    refill(list, rule ? ruleView(rule) : emptyState({ text: "There is no such rule any more." }));
  }, 3, signal, list);
}

function ruleView(rule) {
  return element("section", { class: "panel" }, facts([
    ["State", rule.enabled ? pill("enabled", "good") : pill("disabled")], ["Bus", rule.bus && foreign(rule.bus)], ["Written in", foreign(rule.location, "code")],
    ["Matched", count(rule.matched)], ["Delivered", count(rule.delivered)], ["Failed", count(rule.failed)], ["Tried again", count(rule.retried ?? 0)],
    ["Waiting", count(rule.pending ?? 0)], ["Latency", latency(rule)], rule.schedule && ["Schedule", foreign(rule.schedule)], rule.sqlVersion && ["SQL version", foreign(rule.sqlVersion)],
  ]), rule.lastError && element("p", { class: "problem" }, "Last error: ", foreign(rule.lastError)),
  element("h3", {}, rule.kind === "topic" ? "Statement" : "Pattern"), payload(rule.definition),
  (rule.targets ?? []).length > 0 && [element("h3", {}, "Targets"), payload(JSON.stringify(rule.targets))]);
}

const sample = JSON.stringify({
  version: "0", id: "1", "detail-type": "OrderManager.MakeOrder", source: "awsserverlessda.serverlesspresso", account: "000000000000",
  time: "2026-01-31T08:30:00Z", region: "us-east-1", resources: [], detail: { orderId: "1", userId: "ana", eventId: "NYC" },
}, null, 2);

/** Tries an event: whether a rule or a pattern matches it, and field by field why. Nothing is delivered. */
function trialPanel(rule, bus) {
  const pattern = element("textarea", { rows: "5", spellcheck: "false", class: "code" });
  pattern.value = '{ "detail-type": [{ "prefix": "OrderManager." }] }';
  const event = element("textarea", { rows: "12", spellcheck: "false", class: "code" });
  event.value = sample;
  const topic = element("input", { type: "text", spellcheck: "false", autocomplete: "off" });
  const result = element("div", { "aria-live": "polite" });
  const form = element("form", { onsubmit: async (submitted) => {
    submitted.preventDefault();
    const what = rule ? { rule: bus ? `${bus}/${rule}` : rule } : { pattern: pattern.value };
    try {
      const trial = await change("POST", "rules/test", { ...what, event: event.value, ...(topic.value ? { topic: topic.value } : {}) });
      result.replaceChildren(trialView(trial));
      announce(trial.matches ? "It matches" : "It does not match");
    } catch (error) {
      result.replaceChildren(errorState(error));
    }
  } }, !rule && field("Pattern", pattern), field("Event", event, "As EventBridge delivers it; for a topic rule, the message's payload"),
  rule && !bus && field("Topic", topic, "For a topic rule: where the message was published"), element("button", { type: "submit", class: "primary" }, "Try"));
  return element("section", { class: "panel", "aria-labelledby": "trial-title" }, element("h2", { id: "trial-title" }, rule ? "Try an event on this rule" : "Try a pattern"),
    element("p", { class: "soft" }, "Nothing is delivered."), form, result);
}

function trialView(trial) {
  const verdict = element("p", { class: "verdict" }, trial.matches ? pill("It matches", "good") : pill("It does not match", "bad"), trial.enabled === false ? " The rule is disabled." : "");
  const reason = trial.reason && element("p", {}, foreign(trial.reason));
  const selected = trial.selected && [element("h3", {}, "Selected"), payload(trial.selected)];
  const alternatives = (trial.alternatives ?? []).map((alternative, index) => [
    trial.alternatives.length > 1 && element("h3", {}, `Alternative ${index + 1}`),
    table("Field by field", [
      { title: "Field", cell: (row) => foreign(row.path, "code") },
      { title: "Result", cell: (row) => (row.met ? pill("✓ met", "good") : pill("✗ missed", "bad")) },
      { title: "Wanted", cell: (row) => foreign(row.wanted.join(" or ")) },
      { title: "Found", cell: (row) => (row.found.length > 0 ? foreign(row.found.join(", ")) : element("span", { class: "soft" }, "nothing")) },
      { title: "In words", cell: (row) => visible(row.text) },
    ], alternative.fields, { text: "No field is asked for." }),
    alternative.needsTwoElements && element("p", {}, "Each field is met, but by different elements of an array, and one element has to meet them together."),
  ]);
  return element("div", { class: "trial" }, verdict, reason, alternatives, selected);
}
