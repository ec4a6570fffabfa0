"use strict";
// What every part of the page uses; the theme, and the buttons that copy.
const SVG = document.querySelector("svg.bar").namespaceURI;
const byId = (id) => document.getElementById(id);
const make = (name, attributes = {}, text = null, space = SVG) => {
  const element = space ? document.createElementNS(space, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== null) element.textContent = text;
  return element;
};
const html = (name, attributes, text) => make(name, attributes, text, null);

byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  root.dataset.theme = dark ? "light" : "dark";
});
for (const place of document.querySelectorAll(".copy")) {
  const [code, button, said] = place.children;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      said.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(code);
      said.textContent = "selected; copy it with the keyboard";
    }
  });
}

// Words and lines of the drawing.
const fateOf = (graph, node) => graph.fates[graph.nodes[node][2]];
const clip = (text, most) => (text.length > most ? text.slice(0, most / 2 - 1) + "…" + text.slice(-most / 2) : text);
const tail = (name) => name.replace(/\/+$/, "").split("/").pop() || name;
const bytes = (n) => {
  for (const unit of ["B", "KB", "MB"]) {
    if (n < 1000) return (unit === "B" ? n : n.toFixed(2)) + " " + unit;
    n /= 1000;
  }
  return n.toFixed(2) + " GB";
};

// What a box says: its two lines, its classes, and its name for a screen reader.
function told(graph, box) {
  if (box[0] === "port") return { top: clip(tail(box[1]), 24), sub: "from outside", kind: "port", words: "from outside: " + box[1] };
  if (box[0] === "group") {
    const op = box[4] >= 0 ? graph.nodes[box[4]][1] + ", " : "";
    const parts = box[5].map(([fate, count]) => count + " " + graph.fates[fate]).join(", ");
    return { top: clip(box[2], 23), sub: op + box[3] + " nodes", kind: "group", words: `group ${box[2]}, ${op}${box[3]} nodes: ${parts}` };
  }
  const [name, op] = graph.nodes[box[1]], fate = fateOf(graph, box[1]);
  const end = op === "input" || op === "output";
  return { top: clip(end ? name : op, 23), sub: clip(end ? op : tail(name) === op ? "" : tail(name), 28), kind: (end ? "end " : "") + "node fate-" + fate, words: `${op} ${name}, ${fate}` };
}

function line(points) {
  let path = `M${points[0]} ${points[1]}`;
  for (let i = 2; i < points.length; i += 2) {
    const middle = (points[i - 1] + points[i + 1]) / 2;
    path += `C${points[i - 2]} ${middle} ${points[i]} ${middle} ${points[i]} ${points[i + 1]}`;
  }
  return path;
}
