// Choosing and opening, and the panel that shows what is chosen.

// --- choosing ------------------------------------------------------------------------------------------------------

function choose(what, { near = true } = {}) {
  if (awaitingWay && typeof what === "number" && what !== seen.chosen) { seen.way = what; awaitingWay = false; }
  else { seen.chosen = what; seen.way = null; awaitingWay = false; }
  seen.type = seen.context = null;
  seen.find = $("find").value = "";
  if (what === null) seen.until = Infinity;
  const find = () => (typeof what === "number" ? itemOf[what] : itemById.get(what));
  const look = () => { if (near && find()) bringIntoView(find()); };
  if (typeof what === "number" && !isShown(what)) { seen.pulled.add(what); rebuild(look); } else { light(); look(); }
  showPanel();
}
function open(box, most = OPENED_AT_ONCE) {
  let opened = seen.opened.get(box) || 0, added = 0;
  while (opened < data.boxes[box].length && added < most) {
    if (!seen.pulled.has(data.boxes[box][opened])) added++;
    opened++;
  }
  seen.opened.set(box, opened);
  const old = itemById.get("b" + box), onScreen = old && { x: old.x * cy.zoom() + cy.pan().x, y: old.y * cy.zoom() + cy.pan().y };
  seen.chosen = "b" + box; seen.way = null;
  rebuild(() => { // what was clicked stays where it was
    const own = items.filter((item) => item.box === box);
    if (!onScreen || !own.length) return;
    const x = own.reduce((sum, item) => sum + item.x, 0) / own.length, y = own.reduce((sum, item) => sum + item.y, 0) / own.length;
    cy.pan({ x: onScreen.x - x * cy.zoom(), y: onScreen.y - y * cy.zoom() });
  });
  showPanel();
}
function openAll() { data.boxes.forEach((members, box) => { if (folded[box]) seen.opened.set(box, members.length); }); }
function close(box) {
  seen.opened.delete(box);
  for (const node of data.boxes[box]) seen.pulled.delete(node);
  seen.chosen = null;
  rebuild();
  showPanel();
}
cy.on("tap", "node", (event) => {
  const item = itemById.get(event.target.id());
  if (item.node === null) { open(item.box); return; }
  if (event.originalEvent && event.originalEvent.shiftKey && typeof seen.chosen === "number") awaitingWay = true;
  choose(item.node, { near: false });
});
cy.on("tap", (event) => { if (event.target === cy) choose(null); });
cy.on("mouseover", "node", (event) => {
  const item = itemById.get(event.target.id());
  $("drawing").title = item.node === null ? item.words[0] + ": a click opens it" : nodes[item.node].l + "\n" + typeText(nodes[item.node].t) + "  " + nodes[item.node].a;
});
cy.on("mouseout", "node", () => { $("drawing").title = ""; });

// --- the panel ------------------------------------------------------------------------------------------------------

function el(tag, options = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (name === "text") made.textContent = value;
    else if (name === "on") made.addEventListener("click", value);
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}
const SVG = "http://www.w3.org/2000/svg";
function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
function shape(type) {
  const [fill, line] = colours(type);
  const drawn = isArtifact(type) ? svg("rect", { x: 1, y: 1, width: 20, height: 12, rx: 3, fill, stroke: line, "stroke-width": 1.5 }) :
    svg("path", { d: "M1 7l4-6h12l4 6l-4 6H5z", fill, stroke: line, "stroke-width": 1.5 });
  return svg("svg", { class: "shape", viewBox: "0 0 22 14", "aria-hidden": "true" }, drawn);
}
function row(type, name, soft, end, on, pressed) {
  const button = el("button", { type: "button", class: "row", on }, type === null ? null : shape(type), el("span", {}, el("b", { text: name }), " ", el("span", { text: soft })), end ? el("span", { class: "end", text: end }) : null);
  if (pressed !== undefined) button.setAttribute("aria-pressed", pressed);
  return el("li", {}, button);
}
function rows(list, make) { // the first ones, and the rest by a click
  const made = el("ul", { class: "rows" }, ...list.slice(0, LISTED).map(make));
  if (list.length > LISTED) {
    const more = el("li", {}, el("button", { type: "button", class: "row", text: "and " + (list.length - LISTED).toLocaleString("en") + " more", on: () => more.replaceWith(...list.slice(LISTED).map(make)) }));
    made.append(more);
  }
  return made;
}
const nodeRow = (node, end) => row(nodes[node].t, nodes[node].l, typeText(nodes[node].t) + (nodes[node].w ? " · " + nodes[node].w : ""), end, () => choose(node));
const SAFE = ["http:", "https:"];
function link(uri) { // files of this machine only from a page that is one itself
  let url = null;
  try { url = new URL(uri); } catch { /* a path */ }
  const allowed = url && (SAFE.includes(url.protocol) || url.protocol === "file:" && location.protocol === "file:");
  return allowed ? el("a", { href: url.href, rel: "noopener noreferrer", target: "_blank", text: uri }) : document.createTextNode(uri);
}
function fields(list) {
  return el("dl", {}, ...list.filter(([, value]) => value !== null && value !== "").map(([name, value]) =>
    el("div", {}, el("dt", { text: name }), typeof value === "string" ? el("dd", { text: value }) : el("dd", {}, value))));
}
const time = (ms) => {
  if (ms === null) return "";
  const when = new Date(ms);
  return isNaN(when) ? ms + " ms" : when.toLocaleString();
};

function showPanel() {
  const panel = $("panel");
  panel.replaceChildren();
  panel.scrollTop = 0;
  if (typeof seen.chosen === "number") showNode(panel, seen.chosen);
  else if (typeof seen.chosen === "string") showBox(panel, Number(seen.chosen.slice(1)));
  else showLegend(panel);
}
function showLegend(panel) {
  const counts = types.map(() => 0);
  for (const node of nodes) counts[node.t]++;
  for (const [kind, title] of [["artifact", "Artifacts"], ["execution", "Executions"]]) {
    const own = [...types.keys()].filter((type) => types[type].kind === kind);
    if (!own.length) continue;
    panel.append(el("h2", { text: title }), rows(own, (type) => row(type, typeText(type), "", counts[type].toLocaleString("en"), () => { seen.type = seen.type === type ? null : type; seen.context = null; light(); showPanel(); }, seen.type === type)));
  }
  if (contexts.length) {
    panel.append(el("h2", { text: "Contexts" }), rows([...contexts.keys()], (context) => {
      const count = contexts[context].c;
      return row(null, contexts[context].l, contexts[context].t, count.toLocaleString("en"), () => { seen.context = seen.context === context ? null : context; seen.type = null; light(); showPanel(); }, seen.context === context);
    }));
  }
  if (times.length > 1) {
    const last = times.length - 1, at = times.findLastIndex((each) => each <= seen.until);
    const said = (index) => (index < last ? time(times[index]) : "all");
    const slider = el("input", { type: "range", min: 0, max: last, value: at < 0 ? last : at, id: "until" }), output = el("output", { for: "until", text: said(at < 0 ? last : at) });
    slider.addEventListener("input", () => {
      const index = Number(slider.value);
      seen.until = index < last ? times[index] : Infinity;
      seen.type = seen.context = null;
      output.textContent = said(index);
      light();
    });
    panel.append(el("h2", { text: "Time" }), el("div", { class: "hops time" }, el("label", { for: "until", text: "Made until" }), slider, output));
  }
  if (nodes.length) panel.append(el("p", { class: "note", text: "Choose a node to see what it came from and what came of it." + (isFolded ? " A stack of boxes holds several; a click opens it." : "") }));
}
function showNode(panel, number) {
  const node = nodes[number], type = types[node.t];
  panel.append(el("h2", { class: "name", text: node.n || node.l }));
  panel.append(el("p", { class: "kind" }, shape(node.t), el("span", { text: typeText(node.t) }), el("span", { text: node.a }), node.s ? el("span", { class: "chip" + (node.s === "FAILED" ? " bad" : ""), text: node.w || node.s.toLowerCase() }) : null));
  const pressed = (direction) => ({ type: "button", "aria-pressed": seen.way === null && seen.direction === direction });
  panel.append(el("div", { class: "choice", role: "group", "aria-label": "What is lit" },
    ...[["up", "Upstream"], ["both", "Both"], ["down", "Downstream"]].map(([direction, text]) => el("button", { ...pressed(direction), text, on: () => turn(direction) })),
    el("button", { type: "button", "aria-pressed": awaitingWay || seen.way !== null, title: "(w)", text: seen.way === null ? "Way to …" : "Way to " + nodes[seen.way].l, on: askWay })));
  const farthest = Math.max(0, ...reach(number, before, Infinity).values(), ...reach(number, after, Infinity).values());
  if (farthest > 1) {
    const slider = el("input", { type: "range", min: 1, max: farthest, value: Math.min(seen.hops, farthest), id: "hops" });
    const output = el("output", { for: "hops", text: seen.hops < farthest ? String(seen.hops) : "all" });
    slider.addEventListener("input", () => {
      seen.hops = Number(slider.value) < farthest ? Number(slider.value) : Infinity;
      output.textContent = seen.hops < farthest ? slider.value : "all";
      light();
    });
    panel.append(el("div", { class: "hops" }, el("label", { for: "hops", text: "Events away" }), slider, output));
  }
  panel.append(el("h2", { text: "Details" }), fields([
    ["file", node.u ? link(node.u) : null], ["external id", node.x], ["created", time(node.c)],
    ["updated", node.m !== node.c ? time(node.m) : ""], ["hops", node.h === null ? "" : String(node.h)]]));
  for (const [title, list] of [["Properties", node.p], ["Custom properties", node.q]]) {
    if (list.length) panel.append(el("h2", { text: title }), fields(list.map(([name, value]) => [name, value === "" ? "\u00a0" : value])));
  }
  const [first, second] = type.kind === "artifact" ? ["Made by", "Used by"] : ["Inputs", "Outputs"];
  for (const [title, list] of [[first, before[number]], [second, after[number]]]) {
    if (list.length) panel.append(el("h2", { text: title + " (" + list.length.toLocaleString("en") + ")" }), rows(list, ([other, event]) => nodeRow(other, data.events[event][2])));
  }
  if (node.g.length) panel.append(el("h2", { text: "Contexts" }), rows(node.g, (context) => row(null, contexts[context].l, contexts[context].t, "", () => { choose(null); seen.context = context; light(); showPanel(); })));
  if (folded[boxOf[number]]) panel.append(el("h2", { text: "Together with" }), el("p", { class: "choice" }, el("button", { type: "button", text: "Fold the " + plural(data.boxes[boxOf[number]].length, "node") + " of its box", on: () => close(boxOf[number]) })));
}
function showBox(panel, box) {
  const members = data.boxes[box], hidden = members.filter((node) => !isShown(node)).length;
  const item = { members, box, node: null };
  const [name, kind, said] = wordsOf(item);
  panel.append(el("h2", { class: "name", text: name }), el("p", { class: "kind" }, shape(nodes[members[0]].t), el("span", { text: kind }), said ? el("span", { class: "chip" + (hasFailed(item) ? " bad" : ""), text: said }) : null));
  panel.append(el("p", { class: "note", text: hidden ? plural(members.length - hidden, "node") + " shown, " + hidden.toLocaleString("en") + " still together." : "All are shown." }));
  panel.append(el("div", { class: "choice" }, hidden ? el("button", { type: "button", text: "Open " + Math.min(hidden, OPENED_AT_ONCE).toLocaleString("en") + (hidden < members.length ? " more" : ""), on: () => open(box) }) : null,
    hidden > OPENED_AT_ONCE ? el("button", { type: "button", text: "Open all " + hidden.toLocaleString("en"), on: () => open(box, Infinity) }) : null,
    hidden < members.length ? el("button", { type: "button", text: "Fold", on: () => close(box) }) : null));
  panel.append(el("h2", { text: "Nodes" }), rows(members, (node) => nodeRow(node, "")));
}
function turn(direction) { if (typeof seen.chosen === "number") { seen.direction = direction; seen.way = null; awaitingWay = false; light(); showPanel(); } }
function askWay() { if (typeof seen.chosen === "number") { seen.way = null; awaitingWay = !awaitingWay; light(); showPanel(); } }
