import { change, get, stream } from "../api.js";
import { announce, count, element, errorState, field, foreign, select, visible } from "../dom.js";
import { repeat } from "../refresh.js";

export const title = "Log";

const linesMax = 1_000;
const levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"].map((level) => [level, level]);
const spans = [["300", "for 5 minutes"], ["900", "for 15 minutes"], ["3600", "for an hour"]];

export function show({ root, signal }) {
  const problem = element("p", { class: "problem", role: "alert" });
  root.append(levelPanel(signal, problem), problem, linesPanel(signal));
}

/** Which lines the broker writes at all; a change reverts by itself. */
function levelPanel(signal, problem) {
  const now = element("p", {});
  const level = select(levels, "info");
  const span = select(spans, "300");
  const load = repeat(async () => {
    const { level: current, configured, revertsInSeconds } = await get("log/level", {}, signal);
    now.replaceChildren("The broker writes lines of level ", element("strong", {}, visible(current)), " and above",
      revertsInSeconds ? `, and again of ${configured} in ${count(revertsInSeconds)} s.` : ".");
  }, 5, signal, now);
  const form = element("form", { class: "controls", onsubmit: async (event) => {
    event.preventDefault();
    problem.textContent = "";
    try {
      await change("PUT", "log/level", { level: level.value, seconds: Number(span.value) });
      announce(`The log's level is ${level.value}`);
    } catch (error) {
      problem.textContent = error.message;
    }
    load();
  } }, field("Level", level), field("How long", span), element("button", { type: "submit" }, "Set"));
  return element("section", { class: "panel", "aria-label": "Level" }, now, form);
}

function linesPanel(signal) {
  const lines = element("ol", { class: "lines tall", role: "log", "aria-label": "Lines of the log", tabindex: "0" });
  const status = element("p", { class: "soft", role: "status" }, "Connecting…");
  const shownLevel = select(levels, "info");
  const words = element("input", { type: "search", autocomplete: "off", spellcheck: "false" });
  let isPaused = false;
  let running;
  const pause = element("button", { type: "button", "aria-pressed": "false", onclick: () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? "Go on" : "Pause";
  } }, "Pause");

  async function follow() {
    running?.abort();
    const own = (running = new AbortController());
    signal.addEventListener("abort", () => own.abort());
    lines.replaceChildren();
    for (let seconds = 1; !own.signal.aborted; seconds = Math.min(seconds * 2, 8)) {
      try {
        const parameters = { level: shownLevel.value };
        for await (const line of stream("log", parameters, own.signal, () => { status.textContent = "Lines appear as they are written."; lines.replaceChildren(); })) {
          seconds = 1;
          if (!isPaused) add(line);
        }
      } catch (error) {
        if (own.signal.aborted || error.status === 401) return;
        if (error.status === 404) return lines.replaceWith(errorState(error));
        status.textContent = `Reconnecting: ${error.message}`;
      }
      await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    }
  }

  function add({ time, level, event, message, metadata, skipped }) {
    const pairs = Object.entries(metadata ?? {}).map(([key, value]) => `${key}=${typeof value === "object" ? JSON.stringify(value) : value}`).join(" ");
    const atEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
    if (skipped > 0) lines.append(element("li", { class: "skipped" }, `${count(skipped)} lines were left out`));
    const node = element("li", { "data-level": level }, element("time", {}, (time ?? "").slice(11, 23)), " ", element("b", {}, visible(level)), " ",
      foreign(message ?? event), pairs && [" ", foreign(pairs, "soft")]);
    node.hidden = !matches(node);
    lines.append(node);
    while (lines.children.length > linesMax) lines.firstChild.remove();
    if (atEnd) lines.scrollTop = lines.scrollHeight;
  }

  const matches = (node) => words.value === "" || node.textContent.toLowerCase().includes(words.value.toLowerCase());
  words.addEventListener("input", () => { for (const node of lines.children) node.hidden = !matches(node); });
  shownLevel.addEventListener("change", follow);
  follow();
  return element("section", { class: "panel", "aria-label": "Lines" },
    element("div", { class: "controls" }, field("Show", shownLevel), field("With the words", words), pause), status, lines);
}

