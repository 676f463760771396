// Messages as they pass.

import { stream } from "../api.js";
import { bytes, count, element, field, foreign, payload, pill, select } from "../dom.js";

export const title = "Tail";

const linesMax = 200;
const samples = [["1", "Every message"], ["10", "Every 10th"], ["100", "Every 100th"], ["1000", "Every 1,000th"]];

export function show({ root, parameters, signal }) {
  const filter = element("input", { type: "text", value: parameters.get("filter") ?? "#", required: true, autocomplete: "off", spellcheck: "false" });
  const sample = select(samples, "1");
  const words = element("input", { type: "search", autocomplete: "off", spellcheck: "false" });
  const start = element("button", { type: "submit", class: "primary" }, "Start");
  const pause = element("button", { type: "button", "aria-pressed": "false" }, "Pause");
  const clear = element("button", { type: "button" }, "Clear");
  const status = element("p", { class: "soft", role: "status" }, "");
  const lines = element("ol", { class: "lines tall messages", role: "log", "aria-label": "Messages", tabindex: "0" });
  let running;
  let isPaused = false;
  let numbers = { shown: 0, skipped: 0 };

  root.append(element("form", { class: "controls", onsubmit: (event) => { event.preventDefault(); if (running) stop(); else follow(); } },
    field("Filter", filter, "# for everything but $SYS"), field("Sampling", sample), field("With the words", words), start, pause, clear), status, lines);

  function stop() {
    running?.abort();
    running = undefined;
    start.textContent = "Start";
    status.textContent = "Stopped.";
  }

  /** Follows until it is stopped; a break is tried again. */
  async function follow() {
    const own = (running = new AbortController());
    signal.addEventListener("abort", () => own.abort());
    start.textContent = "Stop";
    numbers = { shown: 0, skipped: 0 };
    for (let seconds = 1; running === own && !own.signal.aborted; seconds = Math.min(seconds * 2, 8)) {
      try {
        const query = { filter: filter.value, everyNth: sample.value === "1" ? undefined : sample.value };
        for await (const message of stream("tail", query, own.signal, tell)) {
          seconds = 1;
          if (!isPaused) add(message);
        }
      } catch (error) {
        if (own.signal.aborted || error.status === 401) return;
        status.textContent = error.status === 400 ? error.message : `Reconnecting: ${error.message}`;
        if (error.status === 400 || error.status === 404) { running = undefined; start.textContent = "Start"; return; }
      }
      await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    }
  }

  function tell() {
    const skipped = numbers.skipped > 0 ? `, ${count(numbers.skipped)} left out because they were too many` : "";
    status.textContent = isPaused ? "Paused: what passes now is not kept." : `Following. ${count(numbers.shown)} messages${skipped}.`;
  }

  const matches = (node) => words.value === "" || node.textContent.toLowerCase().includes(words.value.toLowerCase());

  function add(message) {
    numbers.shown += 1;
    numbers.skipped += message.skipped ?? 0;
    const atEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
    const node = element("li", {}, element("div", { class: "line-head" }, element("time", {}, new Date().toTimeString().slice(0, 8)), " ", foreign(message.topic, "topic"), " ",
      element("span", { class: "soft" }, `QoS ${message.qos}, ${bytes(message.bytes)}${message.clientID === undefined ? "" : ", by "}`, message.clientID !== undefined && foreign(message.clientID)),
      message.retain && [" ", pill("retain")], message.truncated && [" ", pill("cut", "warn")]), payload(message.payload, message.encoding, !message.truncated));
    node.hidden = !matches(node);
    lines.append(node);
    while (lines.children.length > linesMax) lines.firstChild.remove();
    if (atEnd) lines.scrollTop = lines.scrollHeight;
    tell();
  }

  pause.onclick = () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? "Go on" : "Pause";
    tell();
  };
  clear.onclick = () => lines.replaceChildren();
  words.addEventListener("input", () => { for (const node of lines.children) node.hidden = !matches(node); });
  for (const input of [filter, sample]) input.addEventListener("change", () => { if (running) { stop(); follow(); } });
  if (parameters.has("filter")) follow();
}
