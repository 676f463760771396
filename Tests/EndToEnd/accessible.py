"""What every page has to keep, so that it can be used with a keyboard, a screen reader and tired eyes (WCAG 2.2, level AA)."""

# Answers with a list of what is wrong on the page, in words.
CHECKS = r"""
(() => {
  const problems = [];
  const isShown = (node) => node.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && node.getClientRects().length > 0;
  const unseen = (node) => node.closest(".unseen, .skip, [hidden]");
  const describe = (node) => `<${node.localName}${node.id ? ` id=${node.id}` : ""}${node.className?.baseVal ?? node.className ? ` class=${node.className.baseVal ?? node.className}` : ""}> "${(node.textContent || "").trim().slice(0, 40)}"`;
  const text = (id) => document.getElementById(id)?.textContent.trim() ?? "";
  const name = (node) => (node.getAttribute("aria-label") ?? "").trim() || (node.getAttribute("aria-labelledby") ?? "").split(" ").map(text).join(" ").trim()
    || [...(node.labels ?? [])].map((label) => label.textContent.trim()).join(" ") || (["INPUT", "SELECT", "TEXTAREA"].includes(node.tagName) ? "" : node.textContent.trim())
    || (node.querySelector("img[alt]")?.alt ?? "");

  // 1.1.1, 1.3.1, 2.4.2, 3.1.1, 4.1.2: names, structure, language
  if (!document.documentElement.lang) problems.push("the page has no language");
  if (!document.title.trim()) problems.push("the page has no title");
  if (document.querySelectorAll("main").length !== 1) problems.push("the page has not one main landmark");
  if (document.querySelectorAll("h1").length !== 1) problems.push(`the page has ${document.querySelectorAll("h1").length} headings of the first level`);
  if (!document.querySelector("meta[name=viewport]") || /user-scalable=no|maximum-scale/.test(document.querySelector("meta[name=viewport]").content)) problems.push("people cannot zoom");
  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    if (!isShown(heading) && !unseen(heading)) continue;
    const own = Number(heading.localName[1]);
    if (own > level + 1) problems.push(`the heading ${describe(heading)} leaves out a level`);
    level = own;
  }
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) problems.push(`the id ${id} stands twice`);
  for (const node of document.querySelectorAll("a[href], button, input, select, textarea, [role=img], [role=region], [role=log], dialog[open], nav")) {
    if (!isShown(node)) continue;
    if (!name(node)) problems.push(`${describe(node)} has no name`);
  }
  for (const node of document.querySelectorAll("img:not([alt])")) problems.push(`${describe(node)} has no alternative text`);
  for (const node of document.querySelectorAll("svg:not([aria-hidden]):not([role])")) problems.push(`${describe(node)} is neither named nor hidden`);
  for (const attribute of ["aria-labelledby", "aria-describedby", "aria-controls"]) {
    for (const node of document.querySelectorAll(`[${attribute}]`)) {
      for (const id of node.getAttribute(attribute).split(" ")) if (!document.getElementById(id)) problems.push(`${describe(node)}: ${attribute} names nothing`);
    }
  }
  for (const table of document.querySelectorAll("table")) if (!table.caption) problems.push("a table has no caption");

  // 2.4.3: the order of focus is that of the page
  for (const node of document.querySelectorAll("[tabindex]")) if (node.tabIndex > 0) problems.push(`${describe(node)} takes the focus out of order`);
  // 2.5.8: what is pressed is large enough
  for (const node of document.querySelectorAll("button")) {
    const box = node.getBoundingClientRect();
    if (isShown(node) && (box.width < 24 || box.height < 24)) problems.push(`${describe(node)} is ${box.width} × ${box.height}`);
  }

  // 1.4.3: contrast of text with what is behind it
  const parse = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const over = ([r, g, b, a = 1], below) => [r, g, b].map((value, index) => value * a + below[index] * (1 - a));
  const behind = (node) => {
    const layers = [];
    for (let place = node; place; place = place.parentElement) {
      const colour = parse(getComputedStyle(place).backgroundColor);
      layers.push(colour);
      if ((colour[3] ?? 1) === 1) break;
    }
    return layers.reverse().reduce((below, colour) => over(colour, below), [255, 255, 255]);
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.map((value) => { const part = value / 255; return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || seen.has(node) || !isShown(node) || unseen(node) || node.closest(":disabled, noscript, option, svg, details:not([open]) > :not(summary)")) continue;
    seen.add(node);
    const style = getComputedStyle(node);
    const background = behind(node);
    const [light, dark] = [luminance(over(parse(style.color), background)), luminance(background)].sort((one, other) => other - one);
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) problems.push(`the contrast of ${describe(node)} is ${ratio.toFixed(2)}`);
  }

  // 1.4.10: nothing to scroll sideways
  // (a phone's window grows with a page that is too wide, so it is the room for the page that counts)
  const room = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth > room) {
    const wide = [...document.querySelectorAll("body *")].filter((node) => node.getBoundingClientRect().right > room + 1).map(describe);
    problems.push(`the page is ${document.scrollingElement.scrollWidth} wide, the window ${room}: ${wide.slice(0, 3)}`);
  }
  return problems;
})()
"""

# The focused element: where it is among all that take the focus, and whether it can be seen and looks focused.
FOCUSED = r"""
(() => {
  const node = document.activeElement;
  if (!node || node === document.body) return null;
  const box = node.getBoundingClientRect();
  // A field may show the focus by its label.
  const isMarked = [node, node.closest("label")].some((place) => {
    const style = place && getComputedStyle(place);
    return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && Number(style.opacity) > 0;
  });
  return { name: node.id || node.textContent.trim().slice(0, 30) || node.localName, isSeen: box.width > 0 && box.height > 0,
    isMarked };
})()
"""


def problems(page):
    """What is wrong on a page as it is shown now."""
    return page.evaluate(CHECKS)


def keyboard_problems(page, keys=25):
    """Goes through a page with the tab key: everything that gets the focus is seen, and looks so."""
    found = []
    page.evaluate("document.activeElement?.blur()")
    for _ in range(keys):
        page.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:
            break
        if not focused["isSeen"]:
            found.append(f"'{focused['name']}' has the focus and cannot be seen")
        elif not focused["isMarked"]:
            found.append(f"'{focused['name']}' has the focus and does not look so")
    return found
