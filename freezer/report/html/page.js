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
// A name that is broken over lines after its separators, where it must be.
const named = (tag, attributes, name) => {
  const element = html(tag, attributes);
  element.append(...name.split(/(?<=[/._:,])(?=\w)/).flatMap((part) => [part, html("wbr")]));
  return element;
};

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
  if (box[0] === "port") return { top: clip(tail(box[1]), 21), sub: "from outside", kind: "port", words: "from outside: " + box[1] };
  if (box[0] === "group") {
    const op = box[4] >= 0 ? graph.nodes[box[4]][1] + ", " : "";
    const parts = box[5].map(([fate, count]) => count + " " + graph.fates[fate]).join(", ");
    return { top: clip(box[2], 21), sub: op + box[3] + " nodes", kind: "group", words: `group ${box[2]}, ${op}${box[3]} nodes: ${parts}` };
  }
  const [name, op] = graph.nodes[box[1]], fate = fateOf(graph, box[1]);
  const end = op === "input" || op === "output";
  return { top: clip(end ? name : op, 21), sub: clip(end ? op : tail(name) === op ? "" : tail(name), 26), kind: (end ? "end " : "") + "node fate-" + fate, words: `${op} ${name}, ${fate}` };
}

function line(points) {
  let path = `M${points[0]} ${points[1]}`;
  for (let i = 2; i < points.length; i += 2) {
    const middle = (points[i - 1] + points[i + 1]) / 2;
    path += `C${points[i - 2]} ${middle} ${points[i]} ${middle} ${points[i]} ${points[i + 1]}`;
  }
  return path;
}

// The nearest box in a direction: straight ahead counts more than aside. -1 if there is none.
function nearest(all, from, dx, dy) {
  const here = all[from].slice(-2);
  let best = -1, least = Infinity;
  all.forEach((box, index) => {
    const [x, y] = box.slice(-2), [fx, fy] = [x - here[0], y - here[1]];
    const ahead = fx * dx + fy * dy, aside = Math.abs(fx * dy) + Math.abs(fy * dx);
    if (index !== from && ahead > 1 && ahead + 3 * aside < least) [best, least] = [index, ahead + 3 * aside];
  });
  return best;
}

// Every place of a graph, as view and box, whose node or group holds the words.
function placesOf(graph, words) {
  const hits = [];
  graph.views.forEach((view, number) => view.boxes.forEach((box, index) => {
    const node = box[0] === "node" ? box[1] : box[0] === "group" ? box[4] : -1;
    const text = node >= 0 ? graph.nodes[node][0] + " " + graph.nodes[node][1] : box[0] === "group" ? box[2] : "";
    if (text.toLowerCase().includes(words)) hits.push([number, index]);
  }));
  return hits;
}
