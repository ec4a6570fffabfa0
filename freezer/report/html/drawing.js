// The drawing of both graphs: to zoom, to walk through, to search.
(() => {
  const holder = byId("data");
  if (!holder) return;
  const graphs = JSON.parse(holder.textContent);
  const canvas = byId("canvas"), detail = byId("detail"), crumbs = byId("crumbs");
  const state = { graph: Object.keys(graphs)[0], view: 0, at: { x: 0, y: 0, scale: 1 }, chosen: -1 };
  const remembered = {};
  let boxes = [], lines = [], layer = null, svg = null;

  function drawBox(graph, box, index) {
    const { width, height } = graph, words = told(graph, box);
    const [x, y] = box.slice(-2);
    const group = make("g", { class: "box " + words.kind, transform: `translate(${x - width / 2} ${y - height / 2})`, tabindex: -1, role: "button", "aria-label": words.words });
    if (box[0] === "group") group.append(make("rect", { class: "back", x: 4, y: 4, width, height, rx: 6 }));
    group.append(make("rect", { class: "body", width, height, rx: 6 }));
    if (box[0] === "group") {
      let from = 8;
      const total = box[5].reduce((sum, part) => sum + part[1], 0) || 1;
      for (const [fate, count] of box[5]) {
        const share = ((width - 16) * count) / total;
        group.append(make("rect", { class: "share fate-" + graph.fates[fate], x: from, y: height - 6, width: share, height: 3 }));
        from += share;
      }
    }
    group.append(make("text", { x: width / 2, y: words.sub ? 16 : 24 }, words.top), make("text", { class: "sub", x: width / 2, y: 29.5 }, words.sub));
    group.addEventListener("focus", () => { choose(index); if (!pressed) reveal(index); });
    group.addEventListener("click", () => { if (!moved) group.focus({ preventScroll: true }); });
    group.addEventListener("dblclick", () => open(index));
    return group;
  }

  function show(view, chosen = -1, focus = false) {
    const graph = graphs[state.graph], drawn = graph.views[view];
    state.view = view;
    canvas.replaceChildren();
    svg = make("svg", { role: "group", "aria-label": `${state.graph} graph${drawn.label ? ", " + drawn.label : ""}: ${drawn.boxes.length} boxes` });
    svg.append(make("defs"));
    const marker = make("marker", { id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" });
    marker.append(make("path", { d: "M0 0.5L8 4L0 7.5z", fill: "context-stroke" }));
    svg.firstChild.append(marker);
    layer = make("g");
    lines = drawn.edges.map(([link, points]) => {
      const ends = points.slice();
      const down = ends[ends.length - 1] >= ends[1] ? 1 : -1;
      ends[1] += (down * graph.height) / 2;
      ends[ends.length - 1] -= (down * graph.height) / 2 + down * 2;
      const path = make("path", { class: "edge", d: line(ends), "marker-end": "url(#tip)" });
      path.link = link;
      return path;
    });
    boxes = drawn.boxes.map((box, index) => drawBox(graph, box, index));
    layer.append(...lines, ...boxes);
    svg.append(layer);
    canvas.append(svg);
    listen();
    fit();
    drawCrumbs();
    state.chosen = -1;
    if (!boxes.length) return;
    choose(chosen < 0 ? uppermost() : Math.min(chosen, boxes.length - 1));
    reveal(state.chosen);
    if (focus) boxes[state.chosen].focus({ preventScroll: true });
  }

  function drawCrumbs() {
    const graph = graphs[state.graph], trail = [];
    for (let view = state.view; view >= 0; view = graph.views[view].parent) trail.unshift(view);
    crumbs.replaceChildren();
    for (const view of trail) {
      const label = clip(view === 0 ? "whole graph" : graph.views[view].label, 60);
      const last = view === state.view;
      const part = html(last ? "span" : "button", last ? { "aria-current": "true" } : { type: "button" }, label);
      if (!last) part.addEventListener("click", () => leave(view));
      if (crumbs.children.length) crumbs.append(" › ");
      crumbs.append(part);
    }
  }

  function choose(index) {
    if (index === state.chosen) return;
    const old = boxes[state.chosen], box = boxes[index];
    if (old) { old.setAttribute("tabindex", -1); old.classList.remove("chosen"); }
    box.setAttribute("tabindex", 0);
    box.classList.add("chosen");
    state.chosen = index;
    for (const path of lines) path.classList.toggle("near", path.link.includes(index));
    describe(graphs[state.graph].views[state.view].boxes[index]);
  }

  function describe(box) {
    const graph = graphs[state.graph];
    detail.replaceChildren();
    const add = (...parts) => detail.append(named(...parts));
    if (box[0] === "port") {
      add("h3", {}, box[1]);
      add("p", { class: "op" }, "outside of this group");
      return;
    }
    const index = box[0] === "group" ? box[4] : box[1];
    if (box[0] === "group") {
      add("h3", {}, box[2]);
      add("p", { class: "op" }, `${box[3]} nodes`);
      for (const [fate, count] of box[5]) addFate(graph.fates[fate], `${count} ${graph.fates[fate]}`);
      const button = html("button", { type: "button" }, "Open");
      button.addEventListener("click", () => open(state.chosen));
      detail.append(button);
      if (index < 0) return;
      detail.append(html("hr", {}));
    }
    const [name, op, fate, why, size, others] = graph.nodes[index];
    const end = op === "input" || op === "output";
    add("h3", {}, end ? name : op);
    add("p", { class: "op" }, end ? op : name);
    addFate(graph.fates[fate], graph.fates[fate]);
    if (graph.whys[why]) add("p", {}, graph.whys[why]);
    if (size) add("p", {}, `reads ${bytes(size)} of constants`);
    if (others.length) {
      add("p", {}, state.graph === "original" ? "In the residual:" : "Came from:");
      const list = html("ul", {});
      list.append(...others.map((other) => named("li", { class: "mono" }, other)));
      detail.append(list);
    }
  }

  function addFate(fate, words) {
    const mark = html("p", { class: "fate" });
    mark.append(html("span", { class: "swatch fate-" + fate }), words);
    detail.append(mark);
  }

  function open(index) {
    const box = graphs[state.graph].views[state.view].boxes[index];
    if (box && box[0] === "group") show(box[1], -1, true);
  }
  function leave(to) {
    const views = graphs[state.graph].views;
    if (state.view === 0) return;
    let inside = state.view;
    while (views[inside].parent !== to && inside !== 0) inside = views[inside].parent;
    const index = views[to].boxes.findIndex((box) => box[0] === "group" && box[1] === inside);
    show(to, Math.max(index, 0), true);
  }

  // Zoom and place: at is the drawing's origin on the screen, and its scale.
  function apply() {
    const { x, y, scale } = state.at, b = bounds();
    layer.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
    // Shades at the edges that the drawing goes on beyond.
    const past = { left: b.left * scale + x < -8, right: b.right * scale + x > canvas.clientWidth + 8, top: b.top * scale + y < -8, bottom: b.bottom * scale + y > canvas.clientHeight + 8 };
    for (const [side, more] of Object.entries(past)) canvas.classList.toggle("more-" + side, more);
  }
  function bounds() {
    const graph = graphs[state.graph], all = graph.views[state.view].boxes;
    const xs = all.map((box) => box[box.length - 2]), ys = all.map((box) => box[box.length - 1]);
    const [w, h] = [graph.width / 2 + 14, graph.height / 2 + 14];
    return { left: Math.min(...xs) - w, right: Math.max(...xs) + w, top: Math.min(...ys) - h, bottom: Math.max(...ys) + h };
  }
  function fit(whole = false) {
    if (!boxes.length) return;
    const b = bounds(), w = canvas.clientWidth, h = canvas.clientHeight;
    const all = Math.min(w / (b.right - b.left), h / (b.bottom - b.top), 1.15);
    // A drawing that would be too small to read starts at its top instead.
    const scale = whole || all > 0.6 ? all : 0.75;
    const tall = (b.bottom - b.top) * scale > h, broad = (b.right - b.left) * scale > w;
    state.at = {
      scale,
      // Where not all can be seen, no room is left empty at one side.
      x: broad ? Math.min(-b.left * scale, Math.max(w - b.right * scale, w / 2 - scale * centre(b))) : w / 2 - (scale * (b.left + b.right)) / 2,
      y: tall ? -b.top * scale : h / 2 - (scale * (b.top + b.bottom)) / 2,
    };
    apply();
  }
  function centre(b) {
    const top = graphs[state.graph].views[state.view].boxes.filter((box) => box[box.length - 1] < b.top + 200);
    return top.reduce((sum, box) => sum + box[box.length - 2], 0) / (top.length || 1);
  }
  // The box of the drawing's top that is nearest to the middle.
  function uppermost() {
    const all = graphs[state.graph].views[state.view].boxes, b = bounds(), middle = centre(b);
    const far = all.map((box) => Math.abs(box[box.length - 2] - middle) + 3 * (box[box.length - 1] - b.top));
    return far.indexOf(Math.min(...far));
  }
  function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
    const at = state.at, scale = Math.min(4, Math.max(0.03, at.scale * factor));
    at.x = x - ((x - at.x) * scale) / at.scale;
    at.y = y - ((y - at.y) * scale) / at.scale;
    at.scale = scale;
    apply();
  }
  function reveal(index) {
    const box = graphs[state.graph].views[state.view].boxes[index], at = state.at, graph = graphs[state.graph];
    const [x, y] = [at.x + box[box.length - 2] * at.scale, at.y + box[box.length - 1] * at.scale];
    const [w, h] = [canvas.clientWidth, canvas.clientHeight];
    const [aside, above] = [(graph.width / 2) * at.scale + 6, (graph.height / 2) * at.scale + 6];
    if (x < aside || x > w - aside) at.x += w / 2 - x;
    if (y < above || y > h - above) at.y += h / 2 - y;
    apply();
  }

  let moved = false, pressed = false;
  function listen() {
    let from = null;
    svg.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.shiftKey && document.activeElement.closest("#canvas") === null) return;
      event.preventDefault();
      const box = canvas.getBoundingClientRect();
      zoom(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
    svg.addEventListener("pointerdown", (event) => { from = { x: event.clientX - state.at.x, y: event.clientY - state.at.y }; moved = false; pressed = true; });
    svg.addEventListener("pointermove", (event) => {
      if (!from || !(event.buttons & 1)) return;
      const [x, y] = [event.clientX - from.x, event.clientY - from.y];
      if (!moved && Math.hypot(x - state.at.x, y - state.at.y) < 4) return;
      if (!moved) { svg.setPointerCapture(event.pointerId); svg.classList.add("dragging"); }
      moved = true;
      Object.assign(state.at, { x, y });
      apply();
    });
    svg.addEventListener("pointerup", () => { from = null; pressed = false; svg.classList.remove("dragging"); });
  }

  function towards(dx, dy) {
    const best = nearest(graphs[state.graph].views[state.view].boxes, state.chosen, dx, dy);
    if (best >= 0) boxes[best].focus({ preventScroll: true });
  }

  const keys = {
    ArrowUp: () => towards(0, -1), ArrowDown: () => towards(0, 1), ArrowLeft: () => towards(-1, 0), ArrowRight: () => towards(1, 0),
    Enter: () => open(state.chosen), " ": () => open(state.chosen),
    Backspace: () => leave(graphs[state.graph].views[state.view].parent), Escape: () => leave(graphs[state.graph].views[state.view].parent),
    Home: () => boxes[0].focus(), End: () => boxes[boxes.length - 1].focus(),
    "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: () => fit(true),
  };
  canvas.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  byId("in").addEventListener("click", () => zoom(1.25));
  byId("out").addEventListener("click", () => zoom(0.8));
  byId("fit").addEventListener("click", () => fit(true));

  const tabs = [...document.querySelectorAll("[role=tab]")];
  function turn(name, focus) {
    remembered[state.graph] = [state.view, state.chosen];
    state.graph = name;
    for (const tab of tabs) {
      const own = tab.dataset.graph === name;
      tab.setAttribute("aria-selected", own);
      tab.setAttribute("tabindex", own ? 0 : -1);
      if (own) canvas.setAttribute("aria-labelledby", tab.id);
      if (own && focus) tab.focus();
    }
    for (const legend of document.querySelectorAll(".legend")) legend.hidden = legend.dataset.graph !== name;
    show(...(remembered[name] || [0]));
  }
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => turn(tab.dataset.graph, false));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) turn(tabs[(index + step + tabs.length) % tabs.length].dataset.graph, true);
    });
  });

  // Find: Enter goes to the next node whose name or op holds the words.
  let last = { words: "", place: -1 };
  byId("find").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const words = event.target.value.trim().toLowerCase();
    if (!words) return;
    const hits = placesOf(graphs[state.graph], words);
    last = { words, place: last.words === words ? (last.place + 1) % (hits.length || 1) : 0 };
    byId("hits").textContent = hits.length ? `${last.place + 1} of ${hits.length}` : "not found";
    if (hits.length) show(...hits[last.place]);
  });
  byId("find").addEventListener("input", () => { byId("hits").textContent = ""; });
  addEventListener("resize", () => fit());

  show(0);
})();
