// The calls of the admin API: JSON, and live streams of server-sent events. The token goes with each, and is kept in this tab only.

const root = "/api/v1/";
const tokenKey = "crema-token";

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const token = {
  get: () => sessionStorage.getItem(tokenKey) ?? undefined,
  set: (value) => sessionStorage.setItem(tokenKey, value),
  remove: () => sessionStorage.removeItem(tokenKey),
};

/** Dispatches `refused` when the listener wants another token than the one that was shown. */
export const session = new EventTarget();

function headers(more) {
  const shown = token.get();
  return { ...more, ...(shown ? { authorization: `Bearer ${shown}` } : {}) };
}

/** The address of a call; parameters that are empty are left out. */
function address(path, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== undefined && value !== "" && value !== false));
  return `${root}${path}${query.size > 0 ? `?${query}` : ""}`;
}

async function request(path, parameters, options) {
  let answer;
  try {
    answer = await fetch(address(path, parameters), { cache: "no-store", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The broker does not answer.");
  }
  if (answer.ok) return answer;
  const document = await answer.json().catch(() => ({}));
  const error = new ApiError(answer.status, document.error ?? (document.problems ?? [`the broker answered ${answer.status}`]).join("; "));
  if (answer.status === 401) session.dispatchEvent(new CustomEvent("refused", { detail: error.message }));
  throw error;
}

export const get = async (path, parameters, signal) => (await request(path, parameters, { headers: headers(), signal })).json();

/** A call that changes something. */
export async function change(method, path, body, parameters) {
  const options = { method, headers: headers({ "content-type": "application/json" }) };
  return (await request(path, parameters, { ...options, body: body === undefined ? undefined : JSON.stringify(body) })).json();
}

/**
 * The documents of a live stream, until it ends or the signal says so. Calls `onOpen` when it stands.
 * Throws when there is no such stream, or it breaks off.
 */
export async function* stream(path, parameters, signal, onOpen = () => {}) {
  const answer = await request(path, parameters, { headers: headers({ accept: "text/event-stream" }), signal });
  onOpen();
  let waiting = "";
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (waiting + value).split("\n\n");
    waiting = events.pop();
    for (const event of events) {
      const data = event.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart()).join("\n");
      if (data) yield JSON.parse(data);
    }
  }
}

/** One segment of a path. */
export const segment = (name) => encodeURIComponent(name);

/** The path and the parameters that name a client. `.` and `..` are steps to every browser, encoded or not: they go in the query. */
export const clientPath = (id) => (id === "." || id === ".." ? ["clients/-", { id }] : [`clients/${segment(id)}`, {}]);
