// What views ask for again and again.

import { errorState } from "./dom.js";

/**
 * Calls `load` now, and again `seconds` after each answer while the view is shown and the page is seen; shows an error in `place`.
 * Answers with a function that asks at once.
 */
export function repeat(load, seconds, signal, place) {
  let timer;
  let isUnderWay = false;
  async function once() {
    clearTimeout(timer);
    if (isUnderWay || signal.aborted) return;
    isUnderWay = true;
    try {
      await load();
      place?.querySelector(":scope > .failed")?.remove();
    } catch (error) {
      if (signal.aborted || error.status === 401) return;
      if (place && !place.querySelector(":scope > .failed")) place.prepend(errorState(error, once));
    } finally {
      isUnderWay = false;
      if (!signal.aborted && seconds) timer = setTimeout(() => (document.hidden ? again() : once()), seconds * 1_000);
    }
  }
  function again() { timer = setTimeout(() => (document.hidden ? again() : once()), seconds * 1_000); }
  signal.addEventListener("abort", () => clearTimeout(timer));
  once();
  return once;
}

/** Calls a function once the typing rests. */
export function afterTyping(action, milliseconds = 250) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), milliseconds);
  };
}
