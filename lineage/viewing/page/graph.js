"use strict";
// The graph of the page, what is seen of it, and where its boxes stand. The four files of the page are one script, in
// which they follow each other: graph.js, drawing.js, panel.js, page.js. All that a user wrote is set as text, never as
// HTML; nothing is loaded from anywhere.

const data = JSON.parse(document.getElementById("data").textContent);
const [W, H] = data.size;
const POINT = 10; // how far the ends of an execution's box reach out
const OPENED_AT_ONCE = 40; // members of a box
const MANY = 2500; // boxes, from which on drawing is simpler
const FOUND = 50; // nodes listed by the search
const LISTED = 30; // neighbours and members listed in the panel, more by a click
const nodes = data.nodes, types = data.types, contexts = data.contexts;
const $ = (id) => document.getElementById(id);
const dark = matchMedia("(prefers-color-scheme: dark)");

// --- the graph ------------------------------------------------------------------------------------------------

const before = nodes.map(() => []), after = nodes.map(() => []);
data.events.forEach(([source, target], index) => {
  after[source].push([target, index]);
  before[target].push([source, index]);
});
const byAddress = new Map(nodes.map((node, index) => [node.a, index]));
const boxOf = new Array(nodes.length);
data.boxes.forEach((members, box) => members.forEach((node) => { boxOf[node] = box; }));
const folded = data.boxes.map((members) => members.length > 1);
const isFolded = folded.some(Boolean);
const times = [...new Set(nodes.map((node) => node.c).filter((time) => time !== null))].sort((a, b) => a - b);
const placeIn = new Array(nodes.length);
data.boxes.forEach((members) => members.forEach((node, place) => { placeIn[node] = place; }));

function reach(start, beside, most) { // the nodes reached, with their distances
  const found = new Map([[start, 0]]);
  let frontier = [start];
  for (let hop = 1; frontier.length && hop <= most; hop++) {
    const next = [];
    for (const node of frontier) {
      for (const [other] of beside[node]) if (!found.has(other)) { found.set(other, hop); next.push(other); }
    }
    frontier = next;
  }
  return found;
}

// --- what is seen: all of it can be written into the address -----------------------------------------------------

const seen = {
  chosen: null, // a node's number, or "b" and a box's
  direction: "both", hops: Infinity, way: null, // the other end of a way
  type: null, context: null, find: "", until: Infinity, // what is lit when nothing is chosen; a time in milliseconds
  opened: new Map(), pulled: new Set(), // members shown on their own: the first of a box, and single ones
};
let awaitingWay = false;
const isShown = (node) =>
  !folded[boxOf[node]] || seen.pulled.has(node) || placeIn[node] < (seen.opened.get(boxOf[node]) || 0);

// --- places ---------------------------------------------------------------------------------------------------

let items = [], itemOf = new Array(nodes.length), links = [];

function arrange() {
  items = [];
  const rests = data.boxes.map((members, box) => {
    if (!folded[box]) { add({ id: "n" + members[0], node: members[0], box, members }); return null; }
    const rest = members.filter((node) => !isShown(node));
    for (const node of members) if (isShown(node)) add({ id: "n" + node, node, box, members: [node] });
    if (rest.length === 1) add({ id: "n" + rest[0], node: rest[0], box, members: rest });
    else if (rest.length) add({ id: "b" + box, node: null, box, members: rest });
    return rest;
  });
  function add(item) { items.push(item); for (const node of item.members) itemOf[node] = item; }
  const all = rests.every((rest) => !rest || !rest.length);
  const none = rests.every((rest, box) => !rest || rest.length === data.boxes[box].length);
  const full = isFolded && all ? data.full : null;
  const plan = full || data.summary;
  const stretched = full || none ? null : stretch();
  const number = (item) => (full ? item.node : item.box);
  if (stretched) stretched.place();
  else for (const item of items) [item.x, item.y] = plan.places[number(item)];
  const routes = new Map();
  plan.edges.forEach(([a, b], index) => routes.set(a + " " + b, plan.routes[index]));
  const joined = new Map();
  for (const [a, b] of data.events) {
    const from = itemOf[a], to = itemOf[b];
    if (from === to) continue;
    const key = from.id + " " + to.id;
    const link = joined.get(key);
    if (link) { link.events.push([a, b]); continue; }
    const whole = !stretched || (from.id[0] === "b" || !folded[from.box]) && (to.id[0] === "b" || !folded[to.box]);
    const route = whole ? routes.get(number(from) + " " + number(to)) : null;
    joined.set(key, { id: key, from, to, events: [[a, b]], route: route && stretched ? stretched.route(route, from) : route });
  }
  links = [...joined.values()];
}

// Room for the opened members of boxes in the summary: they stand in their box's place, what is around moves aside.
function stretch() {
  const plan = data.summary;
  const parts = new Map(); // of the graph: its columns by x, its line of parts by y
  data.boxes.forEach((_, box) => {
    const [x, y] = plan.places[box], part = parts.get(plan.parts[box]) || { columns: new Map(), boxes: [] };
    parts.set(plan.parts[box], part);
    part.boxes.push(box);
    const column = part.columns.get(plan.layers[box]) || { left: x - W / 2, right: x + W / 2, boxes: [] };
    part.columns.set(plan.layers[box], column);
    column.boxes.push(box);
  });
  const own = new Map();
  for (const item of items) own.set(item.box, [...(own.get(item.box) || []), item]);
  const GX = 24, GY = 14;
  for (const part of parts.values()) {
    let shift = 0;
    part.list = [...part.columns.values()].sort((a, b) => a.left - b.left);
    part.top = Infinity; part.newTop = Infinity; part.bottom = -Infinity; part.newBottom = -Infinity;
    part.left = part.list[0].left;
    for (const column of part.list) {
      column.boxes.sort((a, b) => plan.places[a][1] - plan.places[b][1]);
      column.steps = [];
      let wide = 1, added = 0;
      for (const box of column.boxes) {
        const count = own.get(box).length;
        const across = Math.max(1, Math.ceil(count / (OPENED_AT_ONCE + 1))), down = Math.ceil(count / across);
        const more = (down - 1) * (H + GY);
        column.steps.push({ box, y: plan.places[box][1], more, above: added, across, down });
        added += more;
        wide = Math.max(wide, across);
      }
      column.added = added;
      column.newLeft = column.left + shift;
      column.newRight = column.newLeft + wide * W + (wide - 1) * GX;
      shift += column.newRight - column.newLeft - (column.right - column.left);
      for (const step of column.steps) {
        step.newY = step.y + step.above - added / 2 + step.more / 2;
        part.top = Math.min(part.top, step.y - H / 2); part.bottom = Math.max(part.bottom, step.y + H / 2);
        part.newTop = Math.min(part.newTop, step.newY - step.more / 2 - H / 2);
        part.newBottom = Math.max(part.newBottom, step.newY + step.more / 2 + H / 2);
      }
    }
    part.right = part.list[part.list.length - 1].right;
    part.newRight = part.list[part.list.length - 1].newRight;
  }
  const lines = new Map(); // parts stand in lines: each line is moved down, and what is right of a part in it right
  for (const part of parts.values()) {
    const key = Math.round(part.top);
    lines.set(key, [...(lines.get(key) || []), part]);
  }
  let down = 0;
  for (const key of [...lines.keys()].sort((a, b) => a - b)) {
    let across = 0, tallest = 0;
    for (const part of lines.get(key).sort((a, b) => a.left - b.left)) {
      part.dx = across; part.dy = down + part.top - part.newTop;
      across += part.newRight - part.right;
      tallest = Math.max(tallest, part.newBottom - part.newTop - (part.bottom - part.top));
    }
    down += tallest;
  }
  const yIn = (column, y) => {
    let added = -column.added / 2;
    for (const step of column.steps) if (step.y < y) added += step.more;
    return y + added;
  };
  return {
    place() {
      for (const part of parts.values()) for (const column of part.list) for (const step of column.steps) {
        own.get(step.box).forEach((item, index) => {
          const middle = (column.newLeft + column.newRight) / 2 + part.dx;
          item.x = middle + (Math.floor(index / step.down) - (step.across - 1) / 2) * (W + GX);
          item.y = step.newY - step.more / 2 + (index % step.down) * (H + GY) + part.dy;
        });
      }
    },
    route(route, from) {
      const part = parts.get(plan.parts[from.box]);
      return route.map(([x, y]) => {
        const column = part.list.find((each) => x >= each.left - 1 && x <= each.right + 1);
        if (!column) return [x + part.dx, y + part.dy];
        const newX = x > (column.left + column.right) / 2 ? column.newRight : column.newLeft;
        return [newX + part.dx, yIn(column, y) + part.dy];
      });
    },
  };
}

// The way of a link: from the side of its source to that of its target, level where it passes a layer.
function wayOf(link) {
  const { from, to } = link, right = to.x >= from.x;
  const start = [from.x + (right ? W / 2 : -W / 2), from.y], end = [to.x + (right ? -W / 2 : W / 2), to.y];
  const between = link.route ? link.route.slice(1, -1) : [];
  return [start, ...between, end];
}
