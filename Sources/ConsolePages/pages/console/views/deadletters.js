import { change, get, segment } from "../api.js";
import { announce, confirm, count, element, foreign, payload, refill, table, visible } from "../dom.js";
import { repeat } from "../refresh.js";

export const title = "Dead letters";

export function show({ root, signal }) {
  const list = element("div", {});
  const problem = element("p", { class: "problem", role: "alert" });
  const chosen = new Set();
  const again = element("button", { type: "button", class: "primary", disabled: true }, "Deliver again");
  const all = element("input", { type: "checkbox", "aria-label": "Choose all" });
  root.append(element("p", { class: "soft" }, "Events that a rule matched and could not deliver, the latest first, and why. Once the reason is gone, deliver them again: what fails again is back here."),
    element("div", { class: "controls" }, element("label", { class: "check" }, all, " All that are shown"), again), problem, list);

  function update() {
    again.disabled = chosen.size === 0;
    again.textContent = chosen.size > 0 ? `Deliver ${count(chosen.size)} again` : "Deliver again";
  }

  const load = repeat(async () => {
    const { rows, more } = await get("deadletters", { limit: 200 }, signal);
    const ids = new Set(rows.map(({ id }) => id));
    for (const id of chosen) if (!ids.has(id)) chosen.delete(id);
    all.onchange = () => {
      for (const box of list.querySelectorAll("input[type=checkbox]")) {
        box.checked = all.checked;
        box.dispatchEvent(new Event("change"));
      }
    };
    const open = new Set([...list.querySelectorAll("details[open]")].map((node) => node.dataset.id));
    refill(list, table("Dead letters", columns(open), rows, { text: "No dead letter.", hint: "Every event that a rule matched has been delivered, or is being tried again." }));
    if (more) list.append(element("p", { class: "soft" }, "Only the latest 200 are shown."));
    update();
  }, 5, signal, list);

  const columns = (open) => [
    { title: "Chosen", cell: ({ id, rule, time }) => element("input", { type: "checkbox", checked: chosen.has(id), "data-focus": id, "aria-label": `Choose the event of ${rule} at ${time}`,
      onchange: ({ target }) => { if (target.checked) chosen.add(id); else chosen.delete(id); update(); } }) },
    { title: "When", cell: ({ time }) => time.replace("T", " ").replace("Z", "") },
    { title: "Rule", cell: ({ rule }) => element("a", { href: `#/rules/${encodeURIComponent(rule)}` }, foreign(rule)) },
    { title: "Target", cell: ({ target }) => foreign(target) },
    { title: "Why", cell: ({ errorCode, errorMessage, retries, exhausted }) => [element("strong", {}, visible(errorCode)), " ", foreign(errorMessage),
      retries ? element("span", { class: "soft" }, ` (tried again ${count(retries)} times${exhausted ? `, up to ${visible(exhausted)}` : ""})`) : ""] },
    { title: "Event", cell: ({ id, event, traceID }) => element("details", { "data-id": id, open: open.has(id) }, element("summary", { "data-focus": id }, "Show"), payload(event),
      traceID ? element("p", { class: "soft" }, "Trace ", element("code", {}, visible(traceID))) : "") },
    { title: "", cell: ({ id, rule, time }) => element("button", { type: "button", class: "quiet", "data-focus": id, "aria-label": `Remove the event of ${rule} at ${time}`, onclick: () => remove(id, rule, time) }, "Remove…") },
  ];

  async function perform(action) {
    problem.textContent = "";
    try {
      await action();
    } catch (error) {
      problem.textContent = error.message;
    }
    load();
  }

  again.onclick = () => perform(async () => {
    const { redriven, failed } = await change("POST", "deadletters/redrive", { ids: [...chosen] });
    chosen.clear();
    announce(`${redriven} delivered again`);
    if (failed.length > 0) throw new Error(`${redriven} delivered again, ${failed.length} not: ${failed[0].reason}`);
  });

  const remove = async (id, rule, time) => {
    if (!await confirm("Remove this dead letter?", element("p", {}, "Of ", foreign(rule), ` at ${time}. The event is not delivered, and nothing keeps it.`), "Remove")) return;
    perform(() => change("DELETE", `deadletters/${segment(id)}`));
  };
}
