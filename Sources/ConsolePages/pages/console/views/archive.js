import { change, get, segment } from "../api.js";
import { announce, bytes, confirm, count, element, field, foreign, payload, pill, refill, select, table } from "../dom.js";
import { repeat } from "../refresh.js";

export const title = "Archive and replay";

/** A time of this browser's zone, for a field. */
const local = (date) => new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
const utc = (text) => new Date(text).toISOString().replace(/\.\d+Z$/, "Z");

export function show({ root, signal }) {
  const lists = element("div", {});
  const problem = element("p", { class: "problem", role: "alert" });
  const archive = select([], "");
  const from = element("input", { type: "datetime-local", required: true, value: local(new Date(Date.now() - 3_600_000)) });
  const to = element("input", { type: "datetime-local", required: true, value: local(new Date()) });
  const rules = element("input", { type: "text", spellcheck: "false", autocomplete: "off" });
  const form = element("form", { class: "panel", hidden: true, onsubmit: start }, element("h2", {}, "Replay"),
    element("p", { class: "soft" }, "Puts the events of a range of time on their bus once more, at their rules only if you name some."),
    element("div", { class: "controls" }, field("Archive", archive), field("From", from), field("To", to), field("Only for the rules", rules, "Names, separated by commas"),
      element("button", { type: "submit", class: "primary" }, "Replay…")), problem);
  root.append(lists, form);

  const load = repeat(async () => {
    const { archives, replays } = await get("archives", {}, signal);
    form.hidden = archives.length === 0;
    if (archive.options.length !== archives.length) archive.replaceChildren(...archives.map(({ name }) => element("option", { value: name }, name)));
    refill(lists, element("h2", {}, "Archives"), table("Archives", [
      { title: "Archive", cell: (row) => foreign(row.name) }, { title: "Bus", cell: (row) => foreign(row.bus) },
      { title: "Events", number: true, cell: (row) => count(row.events) }, { title: "Bytes", number: true, cell: (row) => bytes(row.bytes) },
      { title: "Kept for", cell: (row) => (row.retentionDays ? `${count(row.retentionDays)} days` : "ever") },
      { title: "Which events", cell: (row) => (row.pattern ? element("details", {}, element("summary", { "data-focus": row.name }, "Pattern"), payload(row.pattern)) : "all") },
      { title: "Made by", cell: (row) => [foreign(row.location), row.left ? [" ", pill("in no template any more", "warn")] : ""] },
    ], archives, { text: "No archive.", hint: "A template with AWS::Events::Archive, or CreateArchive of the events API, keeps a bus's events." }),
    element("h2", {}, "Replays"), table("Replays", [
      { title: "Replay", cell: (row) => foreign(row.name) }, { title: "State", cell: (row) => pill(row.state.toLowerCase(), { COMPLETED: "good", FAILED: "bad" }[row.state] ?? "warn") },
      { title: "Archive", cell: (row) => foreign(row.archive) }, { title: "Events from, to", cell: (row) => `${row.from} to ${row.to}` },
      { title: "Reached", cell: (row) => row.lastReplayed ?? "–" }, { title: "Started", cell: (row) => row.started },
      { title: "", cell: (row) => ["STARTING", "RUNNING"].includes(row.state) && element("button", { type: "button", class: "quiet", "data-focus": row.name, "aria-label": `Cancel ${row.name}`, onclick: () => cancel(row.name) }, "Cancel") },
    ], replays, { text: "Nothing has been replayed." }));
  }, 3, signal, lists);

  async function start(event) {
    event.preventDefault();
    problem.textContent = "";
    const names = rules.value.split(",").map((name) => name.trim()).filter(Boolean);
    const content = element("p", {}, "The rules see the events again, and their targets get what they deliver.");
    if (!await confirm(`Replay ${archive.value}?`, content, "Replay", "primary")) return;
    try {
      const replay = await change("POST", `archives/${segment(archive.value)}/replay`, { from: utc(from.value), to: utc(to.value), ...(names.length > 0 ? { rules: names } : {}) });
      announce(`Replay ${replay.name} has begun`);
      load();
    } catch (error) {
      problem.textContent = error.message;
    }
  }

  async function cancel(name) {
    try {
      await change("DELETE", `replays/${segment(name)}`);
    } catch (error) {
      problem.textContent = error.message;
    }
    load();
  }
}
