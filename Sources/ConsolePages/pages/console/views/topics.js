import { element } from "../dom.js";
import * as publish from "./topics-publish.js";
import * as retained from "./topics-retained.js";
import * as tail from "./topics-tail.js";
import * as tree from "./topics-tree.js";

export const title = "Topics";

const parts = new Map(Object.entries({ tree, tail, publish, retained }));

export function show(context) {
  const name = parts.has(context.rest[0]) ? context.rest[0] : "tree";
  const links = [...parts].map(([key, part]) => element("li", {},
    element("a", { href: key === "tree" ? "#/topics" : `#/topics/${key}`, "aria-current": key === name && "page" }, part.title)));
  context.root.append(element("nav", { class: "parts", "aria-label": "Parts of topics" }, element("ul", {}, links)));
  parts.get(name).show(context);
}
