// A line of the last values, drawn by hand.

const namespace = "http://www.w3.org/2000/svg";
export const pointsMax = 120;

function shape(name, attributes) {
  const node = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/** Values of the last two minutes, one a second. */
export class Series {
  values = [];

  add(value) {
    this.values.push(value ?? 0);
    if (this.values.length > pointsMax) this.values.shift();
  }
}

/** A picture of a series, which `draw` brings up to date. */
export class Sparkline {
  static width = 240;
  static height = 44;
  static pointsMin = 20;

  constructor(label, format) {
    this.label = label;
    this.format = format;
    this.line = shape("path", { class: "line", "vector-effect": "non-scaling-stroke" });
    this.area = shape("path", { class: "area" });
    this.node = shape("svg", {
      class: "sparkline", viewBox: `0 0 ${Sparkline.width} ${Sparkline.height}`, preserveAspectRatio: "none", role: "img", "aria-label": label,
    });
    this.node.append(this.area, this.line);
  }

  draw({ values }) {
    if (values.length < 2) return;
    const { width, height } = Sparkline;
    const highest = Math.max(...values, 1e-9);
    // The picture fills while the console is new.
    const span = Math.max(values.length, Sparkline.pointsMin) - 1;
    const x = (index) => width - (values.length - 1 - index) * (width / span);
    const y = (value) => height - 3 - (value / highest) * (height - 8);
    const points = values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`);
    this.line.setAttribute("d", `M${points.join("L")}`);
    this.area.setAttribute("d", `M${x(0).toFixed(1)},${height}L${points.join("L")}L${width},${height}Z`);
    this.node.setAttribute("aria-label", `${this.label}: now ${this.format(values.at(-1))}, at most ${this.format(Math.max(...values))} in the last two minutes`);
  }
}
