// The page around the drawing: the search, the keys, the address, paper.

// --- the search ------------------------------------------------------------------------------------------------------

const texts = nodes.map((node) => [node.l, node.n || "", typeText(node.t), node.a, node.u, node.x, node.s, ...node.g.map((each) => contexts[each].l), ...[...node.p, ...node.q].map(([name, value]) => name + "=" + value)].join("\n").toLowerCase());
function search(text) { // all words must be there; those whose name begins so come first
  const sought = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!sought.length) return [];
  const found = [];
  for (let node = 0; node < nodes.length; node++) if (sought.every((word) => texts[node].includes(word))) found.push(node);
  const rank = (node) => { const name = nodes[node].l.toLowerCase(); return name === sought[0] ? 0 : name.startsWith(sought[0]) ? 1 : name.includes(sought[0]) ? 2 : 3; };
  return found.map((node) => [rank(node), node]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, node]) => node);
}
let results = [], current = -1;
function showFound() {
  const list = $("found"), field = $("find");
  const text = field.value.trim();
  seen.find = awaitingWay ? "" : text; // the other end of a way is sought while the first stays chosen
  if (seen.find) { seen.chosen = null; seen.way = null; awaitingWay = false; seen.type = seen.context = null; }
  results = search(text);
  current = results.length ? 0 : -1;
  list.replaceChildren(...results.slice(0, FOUND).map((node, index) => el("li", { role: "option", id: "found-" + index, on: () => take(node) }, shape(nodes[node].t), el("b", { text: nodes[node].l }), el("span", { text: typeText(nodes[node].t) + "  " + nodes[node].a }))));
  if (results.length > FOUND) list.append(el("li", { class: "more", role: "option", "aria-disabled": "true", text: "and " + (results.length - FOUND).toLocaleString("en") + " more: add a word" }));
  if (text && !results.length) list.append(el("li", { class: "more", role: "option", "aria-disabled": "true", text: "nothing has such a name, property or context" }));
  list.hidden = !text;
  field.setAttribute("aria-expanded", String(!list.hidden));
  mark();
  light();
  showPanel();
}
function mark() {
  [...$("found").children].forEach((each, index) => { if (!each.classList.contains("more")) each.setAttribute("aria-selected", String(index === current)); });
  if (current >= 0) { $("find").setAttribute("aria-activedescendant", "found-" + current); const at = $("found-" + current); if (at) at.scrollIntoView({ block: "nearest" }); }
  else $("find").removeAttribute("aria-activedescendant");
}
function take(node) { hideFound(); choose(node); $("drawing").focus(); }
function hideFound() { $("found").hidden = true; $("find").setAttribute("aria-expanded", "false"); $("find").removeAttribute("aria-activedescendant"); }
let typing = 0;
$("find").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(showFound, nodes.length > 3000 ? 160 : 40); });
$("find").addEventListener("keydown", (event) => {
  const last = Math.min(results.length, FOUND) - 1;
  if (event.key === "ArrowDown") current = Math.min(current + 1, last);
  else if (event.key === "ArrowUp") current = Math.max(current - 1, 0);
  else if (event.key === "Enter") { clearTimeout(typing); showFound(); if (current >= 0) take(results[current]); }
  else if (event.key === "Escape") { $("find").value = ""; showFound(); hideFound(); $("drawing").focus(); }
  else return;
  event.preventDefault();
  event.stopPropagation();
  if (event.key.startsWith("Arrow")) mark();
});
document.addEventListener("click", (event) => { if (!event.target.closest(".search")) hideFound(); });

// --- the keys ----------------------------------------------------------------------------------------------------------

const chosenItem = () => (typeof seen.chosen === "number" ? itemOf[seen.chosen] : itemById.get(seen.chosen));
function step(key) {
  const from = chosenItem();
  if (!from) { const first = [...items].sort((a, b) => a.x - b.x || a.y - b.y)[0]; if (first) go(first); return; }
  const near = (list) => list.sort((a, b) => Math.hypot(a.x - from.x, a.y - from.y) - Math.hypot(b.x - from.x, b.y - from.y))[0];
  let to;
  if (key === "ArrowRight") to = near(links.filter((each) => each.from === from).map((each) => each.to));
  else if (key === "ArrowLeft") to = near(links.filter((each) => each.to === from).map((each) => each.from));
  else to = near(items.filter((each) => Math.abs(each.x - from.x) < W / 2 && (key === "ArrowDown" ? each.y > from.y : each.y < from.y)));
  if (to) go(to);
}
function go(item) { awaitingWay = false; choose(item.node === null ? item.id : item.node); say(item); }
function say(item) { const [name, type, said] = item.words || wordsOf(item); $("now").textContent = [name, type, said, $("now").textContent].filter(Boolean).join(", "); }
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  const field = event.target.closest("input");
  if (event.key === "Escape") { choose(null); return; }
  if (field) return;
  const onButton = event.target.closest("button, a");
  if (event.key.startsWith("Arrow")) { if (event.target.closest("aside")) return; step(event.key); }
  else if (event.key === "Enter") { const item = chosenItem(); if (onButton || !item || item.node !== null) return; open(item.box); }
  else if (event.key === "/") { $("find").focus(); $("find").select(); }
  else if (event.key === "0") showAll();
  else if (event.key === "+" || event.key === "=") zoom(1.3);
  else if (event.key === "-") zoom(1 / 1.3);
  else if (event.key === "u") turn("up");
  else if (event.key === "d") turn("down");
  else if (event.key === "b") turn("both");
  else if (event.key === "w") askWay();
  else if (event.key === "?") $("help").showModal();
  else return;
  event.preventDefault();
});
function zoom(factor) { cy.zoom({ level: cy.zoom() * factor, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } }); }
$("fit").addEventListener("click", () => showAll());
$("nearer").addEventListener("click", () => zoom(1.3));
$("farther").addEventListener("click", () => zoom(1 / 1.3));
$("keys").addEventListener("click", () => $("help").showModal());
$("fold").addEventListener("click", () => { seen.opened.clear(); seen.pulled.clear(); seen.chosen = null; rebuild(showStart); showPanel(); });
$("unfold").addEventListener("click", () => { openAll(); seen.chosen = null; rebuild(showStart); showPanel(); });

// --- the address ----------------------------------------------------------------------------------------------------------

let writing = 0, written = "";
function fragment() {
  const parts = new URLSearchParams();
  if (typeof seen.chosen === "number") {
    parts.set("at", nodes[seen.chosen].a);
    if (seen.direction !== "both") parts.set("lit", seen.direction);
    if (seen.hops !== Infinity) parts.set("hops", String(seen.hops));
    if (seen.way !== null) parts.set("way", nodes[seen.way].a);
  } else if (seen.chosen !== null) parts.set("box", seen.chosen.slice(1));
  if (seen.type !== null) parts.set("type", types[seen.type].kind + "/" + types[seen.type].name);
  if (seen.context !== null) parts.set("in", contexts[seen.context].a);
  if (seen.find) parts.set("find", seen.find);
  if (seen.until !== Infinity) parts.set("until", String(seen.until));
  if (isFolded && items.every((item) => item.node !== null)) parts.set("open", "all");
  else if (seen.opened.size) parts.set("open", [...seen.opened].map(([box, count]) => (count >= data.boxes[box].length ? String(box) : box + "-" + count)).join("."));
  if (seen.pulled.size && parts.get("open") !== "all") parts.set("also", [...seen.pulled].map((node) => nodes[node].a).join("."));
  const pan = cy.pan();
  parts.set("view", [cy.zoom().toFixed(3), Math.round(pan.x), Math.round(pan.y)].join("_"));
  return parts.toString().replaceAll("%2F", "/");
}
function remember() {
  clearTimeout(writing);
  document.documentElement.dataset.address = "old";
  writing = setTimeout(() => {
    written = fragment();
    document.documentElement.dataset.address = "new";
    try { history.replaceState(null, "", "#" + written); } catch { /* a page in a frame may not */ }
  }, 250);
}
function restore() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const node = (name) => { const found = byAddress.get(parts.get(name)); return found === undefined ? null : found; };
  const at = (list, test) => { const found = list.findIndex(test); return found < 0 ? null : found; };
  seen.chosen = node("at");
  if (seen.chosen === null && data.boxes[parts.get("box")]) seen.chosen = "b" + Number(parts.get("box"));
  seen.direction = ["up", "down"].includes(parts.get("lit")) ? parts.get("lit") : "both";
  seen.hops = Number(parts.get("hops")) >= 1 ? Math.floor(Number(parts.get("hops"))) : Infinity;
  seen.way = node("way");
  seen.type = parts.has("type") ? at(types, (each) => each.kind + "/" + each.name === parts.get("type")) : null;
  seen.context = parts.has("in") ? at(contexts, (each) => each.a === parts.get("in")) : null;
  seen.find = parts.get("find") || "";
  seen.until = parts.has("until") && Number.isFinite(Number(parts.get("until"))) ? Number(parts.get("until")) : Infinity;
  $("find").value = seen.find;
  seen.opened.clear();
  if (parts.get("open") === "all") openAll();
  else for (const each of (parts.get("open") || "").split(".")) {
    const [box, count] = each.split("-").map(Number);
    if (each && folded[box]) seen.opened.set(box, count >= 0 ? count : data.boxes[box].length);
  }
  seen.pulled = new Set((parts.get("also") || "").split(".").map((each) => byAddress.get(each)).filter((each) => each !== undefined));
  if (typeof seen.chosen === "number" && !isShown(seen.chosen)) seen.pulled.add(seen.chosen);
  const view = (parts.get("view") || "").split("_").map(Number);
  rebuild(() => {
    if (view.length === 3 && view.every(Number.isFinite) && view[0] > 0) cy.viewport({ zoom: view[0], pan: { x: view[1], y: view[2] } });
    else if (seen.chosen !== null && chosenItem()) { showAll(); bringIntoView(chosenItem()); }
    else showStart();
  });
  showPanel();
}
addEventListener("hashchange", () => { if (location.hash.slice(1) !== written) restore(); });

// --- light and dark, size, paper --------------------------------------------------------------------------------------------

dark.addEventListener("change", () => {
  readLook();
  cy.batch(() => { for (const item of items) { const [fill, line] = colours(nodes[item.members[0]].t); cy.getElementById(item.id).data({ fill, line }); } });
  cy.style(style());
  light();
  showPanel();
});
new ResizeObserver(() => { cy.resize(); drawWords(); }).observe($("stage"));

function printed() { // the same picture in lines instead of dots, on white
  const { left, top, right, bottom } = bounds();
  const sheet = svg("svg", { viewBox: [left - 20, top - 20, right - left + 40, bottom - top + 40].join(" "), "font-family": "Helvetica, Arial, sans-serif", "text-anchor": "middle" });
  for (const each of links) {
    const way = wayOf(each), last = way[way.length - 1];
    let path = "M" + way[0].join(" ");
    for (let at = 0; at + 1 < way.length; at++) {
      const [ax, ay] = way[at], [bx, by] = way[at + 1], mx = (ax + bx) / 2;
      path += at % 2 ? "L" + bx + " " + by : "C" + [mx, ay, mx, by, bx, by].join(" ");
    }
    const back = last[0] >= way[0][0] ? -8 : 8;
    sheet.append(svg("path", { d: path, fill: "none", stroke: "#7b8794", "stroke-width": widthOf(each.events.length) }), svg("path", { d: "M" + last.join(" ") + "l" + back + " -4v8z", fill: "#5b6773" }));
  }
  for (const item of items) {
    const type = nodes[item.members[0]].t, [fill, line] = colours(type, false), bad = hasFailed(item), { x, y } = item;
    const drawn = { fill, stroke: bad ? "#c62828" : line, "stroke-width": bad ? 2.5 : 1.5, "stroke-linejoin": "round" };
    const outline = (offset) => (isArtifact(type) ? svg("rect", { ...drawn, x: x - W / 2 + offset, y: y - H / 2 + offset, width: W, height: H, rx: 8 }) :
      svg("path", { ...drawn, d: "M" + (x - W / 2 + offset) + " " + (y + offset) + "l" + POINT + " " + -H / 2 + "h" + (W - 2 * POINT) + "l" + POINT + " " + H / 2 + "l" + -POINT + " " + H / 2 + "h" + -(W - 2 * POINT) + "z" }));
    if (item.node === null) sheet.append(outline(5));
    const [name, kind, said] = wordsOf(item), room = W - 2 * POINT - 4;
    const line1 = svg("text", { x, y: y - 4, "font-size": 13, "font-weight": 600, fill: "#000" }), line2 = svg("text", { x, y: y + 13, "font-size": 11, fill: bad ? "#b3261e" : "#3c4650" });
    line1.textContent = fit(name, "600 13px " + FONT, room);
    line2.textContent = fit(said ? kind + " · " + said : kind, "11px " + FONT, room + 8);
    sheet.append(outline(0), line1, line2);
  }
  return sheet;
}
addEventListener("beforeprint", () => { if (items.length) $("print").replaceChildren(printed()); });
addEventListener("afterprint", () => $("print").replaceChildren());

$("empty").hidden = nodes.length > 0;
cy.on("viewport", remember);
restore();
document.documentElement.dataset.ready = "yes";
