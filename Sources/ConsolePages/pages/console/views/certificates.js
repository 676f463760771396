import { get } from "../api.js";
import { element, foreign, pill, refill, table } from "../dom.js";
import { repeat } from "../refresh.js";

export const title = "Certificates";

function remaining({ daysLeft }) {
  if (daysLeft < 0) return pill("ended", "bad");
  return pill(`${daysLeft} days`, daysLeft < 7 ? "bad" : daysLeft < 30 ? "warn" : "good");
}

export function show({ root, signal }) {
  const list = element("div", {});
  root.append(element("p", { class: "soft" }, "What TLS listeners show, and whose clients they take. A certificate is replaced by a new file and a reload, without losing a client."), list);
  repeat(async () => {
    const { rows } = await get("certificates", {}, signal);
    rows.sort((one, other) => one.daysLeft - other.daysLeft);
    refill(list, table("Certificates", [
      { title: "Subject", cell: (row) => foreign(row.subject) },
      { title: "Ends in", number: true, cell: remaining },
      { title: "Listener", cell: (row) => foreign(row.listener) },
      { title: "Use", cell: (row) => (row.role === "clientAuthority" ? "authority of clients" : "server") },
      { title: "Names", cell: (row) => foreign((row.names ?? []).join(", ")) },
      { title: "Issuer", cell: (row) => foreign(row.issuer) },
      { title: "From, to", cell: (row) => `${row.notBefore.slice(0, 10)} to ${row.notAfter.slice(0, 10)}` },
      { title: "Serial", cell: (row) => foreign(row.serial, "code") },
    ], rows, { text: "No listener uses TLS.", hint: "`crema certs init` makes an authority and a server's certificate; a listener with protocol mqtts or wss uses them." }));
  }, 30, signal, list);
}
