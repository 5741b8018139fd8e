// The drawing: how boxes and lines look, their words, what is lit.

// --- how it looks ----------------------------------------------------------------------------------------------

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
let look = {};
function readLook() {
  look = Object.fromEntries(["sheet", "text", "soft", "accent", "bad", "bad-line", "edge", "edge-lit"].map((name) => [name, css("--" + name)]));
}
const colours = (type, isDark = dark.matches) => (isDark ? types[type].dark : types[type].light);
const isArtifact = (type) => types[type].kind === "artifact";
const hasFailed = (item) => item.members.some((node) => nodes[node].s === "FAILED");
const typeText = (type) => types[type].name || "(no type)";
const plural = (count, one, several) => count.toLocaleString("en") + " " + (count === 1 ? one : several || one + "s");

function wordsOf(item) { // two lines, and what is said of the state
  if (item.node !== null) {
    const node = nodes[item.node];
    return [node.l, typeText(node.t), node.w];
  }
  const kinds = new Set(item.members.map((node) => nodes[node].t));
  const type = nodes[item.members[0]].t;
  const name = kinds.size === 1 ? typeText(type) : kinds.size + " types";
  const states = new Map();
  for (const node of item.members) if (nodes[node].w) {
    const word = nodes[node].s.toLowerCase().replaceAll("_", " ");
    states.set(word, (states.get(word) || 0) + 1);
  }
  const said = [...states].map(([word, count]) => count + " " + word).join(", ");
  const rest = item.members.length < data.boxes[item.box].length;
  return [item.members.length.toLocaleString("en") + (rest ? " more" : "") + " × " + name, types[type].kind + "s", said];
}

const HEXAGON = [-1, 0, -1 + 2 * POINT / W, -1, 1 - 2 * POINT / W, -1, 1, 0, 1 - 2 * POINT / W, 1, -1 + 2 * POINT / W, 1].join(" ");
const style = () => [
  { selector: "node", style: {
    width: W, height: H, shape: "round-rectangle", "corner-radius": 8, "border-width": 1.5, "overlay-opacity": 0, "z-index-compare": "manual", "z-index": 1 } },
  { selector: "node[line]", style: { "background-color": "data(fill)", "border-color": "data(line)" } },
  { selector: "node.execution", style: { shape: "polygon", "shape-polygon-points": HEXAGON } },
  // The width tells them from single boxes of the same colours: else Cytoscape draws either as it drew the other.
  { selector: "node.fold", style: { "border-width": 1.6, ghost: "yes", "ghost-offset-x": 5, "ghost-offset-y": 5, "ghost-opacity": 0.55 } },
  { selector: "node.waits", style: { "border-style": "dashed" } },
  { selector: "node.failed", style: { "border-color": look["bad-line"], "border-width": 2.5 } },
  { selector: "node.fold.failed", style: { "border-width": 2.6 } },
  { selector: "edge", style: {
    width: (edge) => edge.data("width") * thick, "line-color": look.edge, "target-arrow-color": look.edge, "target-arrow-shape": "triangle",
    "arrow-scale": 0.85, "curve-style": "straight", "source-endpoint": "50% 0%", "target-endpoint": "-50% 0%",
    "overlay-opacity": 0, "z-index-compare": "manual", "z-index": 0 } },
  { selector: "edge.bent", style: {
    "curve-style": "unbundled-bezier", "edge-distances": "endpoints", "control-point-distances": "data(distances)",
    "control-point-weights": "data(weights)" } },
  { selector: "edge.left", style: { "source-endpoint": "-50% 0%", "target-endpoint": "50% 0%" } },
  { selector: "#veil", style: { // lies over all that is not lit
    shape: "rectangle", width: "data(width)", height: "data(height)", "background-color": look.sheet, "border-width": 0,
    "background-opacity": 0.84, "z-index": 5, events: "no" } },
  { selector: "node.lit", style: { "z-index": 9 } },
  { selector: "edge.lit", style: { "line-color": look["edge-lit"], "target-arrow-color": look["edge-lit"], width: (edge) => (edge.data("width") + 0.9) * thick, "z-index": 8 } },
  { selector: "node.chosen", style: { "outline-width": 3, "outline-color": look.accent, "outline-offset": 3, "border-width": 2.5 } },
];

let thick = 1; // from afar lines are drawn wider, or nobody would see them
function thicken() {
  const zoom = cy.zoom(), now = zoom < 0.22 ? 3 : zoom < 0.36 ? 2.2 : zoom < 0.6 ? 1.5 : 1;
  if (now !== thick) { thick = now; if (cy.elements().nonempty()) cy.style().update(); }
}
const widthOf = (count) => (count > 1 ? Math.min(1.3 + 0.5 * Math.floor(Math.log2(count)), 5) : 1.3);
function elements() {
  const simple = items.length > MANY;
  const made = items.map((item) => {
    const type = nodes[item.members[0]].t, [fill, line] = colours(type);
    const classes = [types[type].kind, item.node === null ? "fold" : "", hasFailed(item) ? "failed" : item.node !== null && nodes[item.node].w ? "waits" : ""];
    return { group: "nodes", data: { id: item.id, fill, line }, position: { x: item.x, y: item.y }, classes: classes.filter(Boolean) };
  });
  for (const link of links) {
    const way = wayOf(link), [[x1, y1]] = way, [x2, y2] = way[way.length - 1];
    const width = widthOf(link.events.length);
    const own = { id: link.id, source: link.from.id, target: link.to.id, width };
    const classes = x2 >= x1 ? [] : ["left"];
    const dx = x2 - x1, dy = y2 - y1, square = dx * dx + dy * dy;
    if (!simple && square > 0 && (way.length > 2 || Math.abs(dy) > 1)) {
      const weights = [], distances = [];
      for (let at = 0; at + 1 < way.length; at += 2) { // between two layers: a curve that is level at both ends
        const [ax, ay] = way[at], [bx, by] = way[at + 1], mx = (ax + bx) / 2;
        for (const [x, y] of [[mx, ay], [mx, by]]) {
          const px = x - x1, py = y - y1;
          weights.push((px * dx + py * dy) / square);
          distances.push((-px * dy + py * dx) / Math.sqrt(square));
        }
      }
      own.weights = weights; own.distances = distances;
      classes.push("bent");
    }
    made.push({ group: "edges", data: own, classes });
  }
  return made;
}

// --- the drawing ------------------------------------------------------------------------------------------------

readLook();
const cy = cytoscape({
  container: $("drawing"), elements: [], style: style(), layout: { name: "preset" }, autoungrabify: true,
  autounselectify: true, boxSelectionEnabled: false, minZoom: 0.01, maxZoom: 3,
  textureOnViewport: false, hideEdgesOnViewport: nodes.length > MANY, motionBlur: false,
});
let itemById = new Map();
cy.on("zoom", thicken);

function rebuild(view = null) { // the view before the elements: how wide lines are follows from it
  arrange();
  itemById = new Map(items.map((item) => [item.id, item]));
  fitted.clear();
  cy.elements().remove();
  if (view) view();
  cy.add(elements());
  $("fold").hidden = !(isFolded && (seen.opened.size || seen.pulled.size));
  $("unfold").hidden = !(isFolded && items.some((item) => item.node === null));
  light();
}

// Names are drawn on a canvas of their own: two lines with different letters, fitted to what can be read.
const words = $("words"), pen = words.getContext("2d"), fitted = new Map();
const FONT = 'system-ui, "Segoe UI", Helvetica, Arial, sans-serif';
function fit(text, font, room, atEnd = false) {
  const key = font + "|" + room + "|" + atEnd + "|" + text;
  let own = fitted.get(key);
  if (own !== undefined) return own;
  pen.font = font;
  own = text;
  if (pen.measureText(text).width > room) {
    const letters = [...text];
    let few = 0, many = letters.length;
    const cut = (count) => { // in the middle: the ends of names tell them apart
      const start = atEnd ? count : Math.ceil(count / 2);
      return letters.slice(0, start).join("") + "…" + letters.slice(letters.length - count + start).join("");
    };
    while (few < many) { // the most letters that have room
      const middle = Math.ceil((few + many) / 2);
      if (pen.measureText(cut(middle)).width <= room) few = middle; else many = middle - 1;
    }
    own = cut(few);
  }
  fitted.set(key, own);
  return own;
}
function drawWords() {
  const ratio = devicePixelRatio || 1, zoom = cy.zoom(), pan = cy.pan();
  const width = $("stage").clientWidth, height = $("stage").clientHeight;
  if (words.width !== Math.round(width * ratio) || words.height !== Math.round(height * ratio)) {
    words.width = Math.round(width * ratio); words.height = Math.round(height * ratio);
  }
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, words.width, words.height);
  if (zoom < 0.16) return; // nobody could read them
  pen.setTransform(zoom * ratio, 0, 0, zoom * ratio, pan.x * ratio, pan.y * ratio);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const left = -pan.x / zoom - W, right = (width - pan.x) / zoom + W, top = -pan.y / zoom - H, bottom = (height - pan.y) / zoom + H;
  const far = zoom < 0.62, big = Math.round(Math.min(8.6 / zoom, 30));
  for (const item of items) {
    if (item.x < left || item.x > right || item.y < top || item.y > bottom) continue;
    const [name, type, said] = item.words || (item.words = wordsOf(item));
    const room = W - 2 * POINT - 4;
    pen.globalAlpha = item.dim ? 0.25 : 1;
    pen.fillStyle = look.text;
    if (far) {
      if (item.node === null && zoom > 0.34) { // how many, and of what: two short lines
        const [count, what] = name.split(" × "), font = "600 " + Math.round(8.2 / zoom) + "px " + FONT;
        const room = W - (isArtifact(nodes[item.members[0]].t) ? 8 : 18), bad = hasFailed(item);
        pen.font = font;
        if (bad) pen.fillStyle = look.bad;
        pen.fillText(fit(what, font, room, true), item.x, item.y - 9);
        pen.font = "500 " + Math.round(7.8 / zoom) + "px " + FONT;
        const failed = bad ? " · " + item.members.filter((node) => nodes[node].s === "FAILED").length.toLocaleString("en") + " ✕" : "";
        pen.fillText(fit(count + " ×" + failed, pen.font, room), item.x, item.y + 10);
        continue;
      }
      const space = W - (isArtifact(nodes[item.members[0]].t) ? 8 : 14), bad = hasFailed(item), text = (bad ? "✕ " : "") + name;
      if (bad) pen.fillStyle = look.bad;
      pen.font = "600 " + big + "px " + FONT;
      const wide = pen.measureText(text).width, smaller = Math.max(Math.floor(big * space / wide), Math.round(big * 0.86));
      if (wide > space) pen.font = "600 " + smaller + "px " + FONT;
      pen.fillText(fit(text, pen.font, space, item.node === null), item.x, item.y + 1);
      continue;
    }
    pen.font = "600 13px " + FONT;
    pen.fillText(fit(name, pen.font, room), item.x, item.y - 8);
    pen.font = "11px " + FONT;
    const lit = item.lit && item.lit < item.members.length ? item.lit + " of these" : "";
    const tail = lit || said, tailText = tail ? " · " + tail : "";
    const tailWidth = tail ? pen.measureText(tailText).width : 0;
    const shown = fit(type, pen.font, Math.max(40, room - tailWidth)), shownWidth = pen.measureText(shown).width;
    pen.fillStyle = look.soft;
    pen.textAlign = "left";
    const start = item.x - Math.min(room + 8, shownWidth + tailWidth) / 2;
    pen.fillText(shown, start, item.y + 10);
    if (tail) {
      pen.fillStyle = lit ? look.accent : hasFailed(item) ? look.bad : look.soft;
      pen.fillText(fit(tailText, pen.font, room + 8 - shownWidth), start + shownWidth, item.y + 10);
    }
    pen.textAlign = "center";
  }
  pen.globalAlpha = 1;
}
cy.on("render", drawWords);

function bounds() {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const { x, y } of items) {
    box.left = Math.min(box.left, x - W / 2); box.right = Math.max(box.right, x + W / 2);
    box.top = Math.min(box.top, y - H / 2); box.bottom = Math.max(box.bottom, y + H / 2);
  }
  return box;
}
function showAll() {
  if (!items.length) return;
  const { left, top, right, bottom } = bounds(), edge = 26;
  const zoom = Math.min((cy.width() - 2 * edge) / (right - left), (cy.height() - 2 * edge) / (bottom - top), 1.15);
  cy.viewport({ zoom, pan: { x: (cy.width() - (left + right) * zoom) / 2, y: (cy.height() - (top + bottom) * zoom) / 2 } });
}
// The beginning of it, so near that it can be read, if all of it cannot.
function showStart() {
  showAll();
  if (cy.zoom() >= 0.42 || !items.length) return;
  const { left, top, bottom } = bounds(), high = bottom - top;
  const zoom = Math.min(0.62, Math.max(0.42, cy.height() / (high + 80)));
  let y = Math.max(30, (cy.height() - high * zoom) / 2) - top * zoom;
  const first = items.reduce((best, each) => (each.x < best.x - 1 || each.x < best.x + 1 && each.y < best.y ? each : best));
  if (first.y * zoom + y > cy.height() - 60) y = cy.height() / 2 - first.y * zoom;
  cy.viewport({ zoom, pan: { x: 30 - left * zoom, y } });
}
function bringIntoView(item) {
  const at = { x: item.x * cy.zoom() + cy.pan().x, y: item.y * cy.zoom() + cy.pan().y };
  const inside = at.x > 60 && at.y > 40 && at.x < cy.width() - 60 && at.y < cy.height() - 40;
  if (inside && cy.zoom() >= 0.4) return;
  const zoom = Math.max(cy.zoom(), 0.75);
  cy.zoom(zoom);
  cy.pan({ x: cy.width() / 2 - item.x * zoom, y: cy.height() / 2 - item.y * zoom });
}

// --- what is lit --------------------------------------------------------------------------------------------------

// Returns the nodes that are lit and which events are, or null when nothing is.
function litNodes() {
  if (seen.way !== null && typeof seen.chosen === "number") return wayBetween(seen.chosen, seen.way);
  if (typeof seen.chosen === "number") {
    const up = seen.direction === "down" ? new Map() : reach(seen.chosen, before, seen.hops);
    const down = seen.direction === "up" ? new Map() : reach(seen.chosen, after, seen.hops);
    return {
      nodes: new Set([seen.chosen, ...up.keys(), ...down.keys()]),
      event: (a, b) => up.has(a) && up.has(b) || down.has(a) && down.has(b),
      text: [seen.direction !== "down" ? plural(up.size - 1, "node") + " upstream" : "", seen.direction !== "up" ? plural(down.size - 1, "node") + " downstream" : ""].filter(Boolean).join(", "),
    };
  }
  if (typeof seen.chosen === "string") return null;
  const which = seen.find ? new Set(search(seen.find)) : // a search for what is not there leaves all as it is
    seen.context !== null ? new Set(nodes.keys().filter((node) => nodes[node].g.includes(seen.context))) :
    seen.type !== null ? new Set(nodes.keys().filter((node) => nodes[node].t === seen.type)) :
    seen.until !== Infinity ? new Set(nodes.keys().filter((node) => nodes[node].c <= seen.until)) : null;
  return which && which.size > 0 && { nodes: which, event: (a, b) => which.has(a) && which.has(b), text: plural(which.size, "node") };
}
function wayBetween(a, b) {
  for (const [start, end] of [[a, b], [b, a]]) {
    const down = reach(start, after, Infinity);
    if (!down.has(end)) continue;
    const up = reach(end, before, Infinity);
    const on = new Set([...down.keys()].filter((node) => up.has(node)));
    const text = "the ways from " + nodes[start].l + " to " + nodes[end].l + ": " + plural(on.size, "node") + ", the shortest " + plural(down.get(end), "event");
    return { nodes: on, event: (x, y) => on.has(x) && on.has(y), text };
  }
  const both = nodes.map((_, node) => [...before[node], ...after[node]]), far = reach(a, both, Infinity);
  if (!far.has(b)) return { nodes: new Set([a, b]), event: () => false, text: "nothing joins these two" };
  const on = new Set([b]);
  for (let node = b; node !== a;) {
    node = both[node].find(([other]) => far.get(other) === far.get(node) - 1)[0];
    on.add(node);
  }
  return { nodes: on, event: (x, y) => on.has(x) && on.has(y), text: "neither came of the other; they have in common what is lit" };
}
function change(thing, name, on) { // a class of an element: only where it is another than it was
  const marks = thing.marks || (thing.marks = new Set());
  if (marks.has(name) === on) return;
  if (on) marks.add(name); else marks.delete(name);
  cy.getElementById(thing.id).toggleClass(name, on);
}
function light() {
  const lit = litNodes();
  cy.batch(() => {
    for (const item of items) {
      item.lit = lit ? item.members.reduce((count, node) => count + lit.nodes.has(node), 0) : 0;
      item.dim = Boolean(lit) && !item.lit;
      const chosen = item.id === "n" + seen.chosen || item.id === seen.chosen || seen.way !== null && item.id === "n" + seen.way;
      change(item, "lit", item.lit > 0);
      change(item, "chosen", chosen);
    }
    for (const link of links) change(link, "lit", Boolean(lit) && link.events.some(([a, b]) => lit.event(a, b)));
    cy.getElementById("veil").remove();
    if (lit && items.length) {
      const { left, top, right, bottom } = bounds(), far = 4000;
      cy.add({ data: { id: "veil", width: right - left + far, height: bottom - top + far }, position: { x: (left + right) / 2, y: (top + bottom) / 2 } });
    }
  });
  drawWords();
  $("now").textContent = awaitingWay ? "Now choose the other end of the way." : lit ? lit.text : seen.find ? "nothing found" : "";
  remember();
}
