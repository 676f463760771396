import { get } from "../api.js";
import { element, foreign, pill, refill, table } from "../dom.js";
import { repeat } from "../refresh.js";

export const title = "API destinations";

const how = { API_KEY: "API key", BASIC: "user and password", OAUTH_CLIENT_CREDENTIALS: "OAuth client credentials" };

/** Whether it is called now, and why it is not. */
function state({ active, reason }) {
  return active ? pill("active", "good") : [pill("not called", "bad"), reason ? element("div", { class: "soft" }, foreign(reason)) : ""];
}

export function show({ root, signal }) {
  const lists = element("div", {});
  root.append(element("p", { class: "soft" }, "Where rules call others by HTTP, and by which connection they prove who they are there. Secrets are shown to nobody."), lists);
  repeat(async () => {
    const { connections, destinations } = await get("destinations", {}, signal);
    refill(lists, element("h2", {}, "Destinations"), table("Destinations", [
      { title: "Destination", cell: (row) => foreign(row.name) },
      { title: "State", cell: state },
      { title: "Calls", cell: (row) => [`${row.method} `, foreign(row.endpoint, "code")] },
      { title: "Connection", cell: (row) => foreign(row.connection) },
      { title: "Made by", cell: (row) => foreign(row.location) },
    ], destinations, { text: "No API destination.", hint: "A template with AWS::Events::ApiDestination, or CreateApiDestination of the events API, lets rules call a URL." }),
    element("h2", {}, "Connections"), table("Connections", [
      { title: "Connection", cell: (row) => foreign(row.name) },
      { title: "State", cell: (row) => (row.authorized ? pill("authorized", "good") : pill("not authorized", "bad")) },
      { title: "Proves itself by", cell: (row) => how[row.authorizationType] ?? foreign(row.authorizationType) },
      { title: "Made by", cell: (row) => foreign(row.location) },
    ], connections, { text: "No connection.", hint: "A template with AWS::Events::Connection, or CreateConnection of the events API, keeps what a destination asks for." }));
  }, 5, signal, lists);
}
