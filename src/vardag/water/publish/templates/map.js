// The map: two canvases, one for the network and one for what is pointed at. No library, no tiles.
const WIDTH_PX_PER_MM = 2.7;
const REACH_PX = 9;
const SLOW_MS = 40;
const USUAL_PX = 7;
const [west, south, east, north, step] = data.frame;
const extent = { width: (east - west) / step, height: (north - south) / step };

class PipeMap {
  constructor(box) {
    this.box = box;
    this.base = box.querySelector(".map-base");
    this.top = box.querySelector(".map-top");
    this.card = box.querySelector(".map-card");
    this.hint = box.querySelector(".map-hint");
    this.lines = decode(data.lines);
    this.grid = new Grid(this.lines, extent.width, extent.height);
    this.roads = data.roads && decode(data.roads);
    this.partsOf = new Map();
    for (let part = this.lines.parts - 1; part >= 0; part--) {
      const owner = this.lines.owner[part];
      this.partsOf.set(owner, [part, ...(this.partsOf.get(owner) || [])]);
    }
    this.classes = Uint8Array.from(this.lines.owner, (pipe) => classOf(pipe));
    this.meanLength = pipes.length.reduce((sum, length) => sum + (length || 0), 0) / Math.max(total, 1) / step;
    this.drawTook = 0;
    this.pinned = false;
    this.selected = -1;
    this.resize();
    this.fit();
    listenToMap(this);
  }

  resize() {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.width = this.box.clientWidth;
    this.height = this.box.clientHeight;
    for (const canvas of [this.base, this.top]) {
      canvas.width = Math.round(this.width * ratio);
      canvas.height = Math.round(this.height * ratio);
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    }
  }

  fit() {
    const space = 1.06;
    this.whole = Math.min(this.width / (extent.width * space), this.height / (extent.height * space));
    this.view = { x: extent.width / 2, y: extent.height / 2, scale: this.whole };
    this.draw();
  }

  toScreen(x, y) {
    return [(x - this.view.x) * this.view.scale + this.width / 2, (this.view.y - y) * this.view.scale + this.height / 2];
  }

  toMap(px, py) {
    return [(px - this.width / 2) / this.view.scale + this.view.x, this.view.y - (py - this.height / 2) / this.view.scale];
  }

  pan(dx, dy) {
    this.view.x -= dx / this.view.scale;
    this.view.y += dy / this.view.scale;
    this.soon();
  }

  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const [x, y] = this.toMap(px, py);
    const most = 6 * step; // px per step: about 6 px a metre
    this.view.scale = Math.max(this.whole * 0.6, Math.min(most, this.view.scale * factor));
    this.view.x = x - (px - this.width / 2) / this.view.scale;
    this.view.y = y + (py - this.height / 2) / this.view.scale;
    this.soon();
  }

  // Large networks: while the map moves, the last picture is moved; it is drawn anew when the hand rests.
  soon() {
    if (this.frameAsked) return;
    this.frameAsked = true;
    requestAnimationFrame(() => {
      this.frameAsked = false;
      if (this.drawTook < SLOW_MS) return this.draw();
      this.moveLastPicture();
      clearTimeout(this.rest);
      this.rest = setTimeout(() => this.draw(), 120);
    });
  }

  moveLastPicture() {
    if (!this.lastView) return;
    const context = this.base.getContext("2d");
    const factor = this.view.scale / this.lastView.scale;
    const [x, y] = this.toScreen(this.lastView.x, this.lastView.y);
    context.clearRect(0, 0, this.width, this.height);
    context.drawImage(this.lastPicture, x - (this.width * factor) / 2, y - (this.height * factor) / 2, this.width * factor, this.height * factor);
    this.drawTop();
  }

  draw() {
    const began = performance.now();
    const context = this.base.getContext("2d");
    context.clearRect(0, 0, this.width, this.height);
    context.lineCap = context.lineJoin = "round";
    const [left, bottom] = this.toMap(-20, this.height + 20);
    const [right, above] = this.toMap(this.width + 20, -20);
    if (this.roads) this.drawRoads(context);
    const drawn = this.drawClasses(context, this.grid.within(left, bottom, right, above));
    this.drawTop();
    this.drawTook = performance.now() - began;
    this.lastView = { ...this.view };
    if (this.drawTook >= SLOW_MS) this.keepPicture();
    this.box.dataset.drawn = String(drawn);
    scaleBar(this);
  }

  keepPicture() {
    this.lastPicture = this.lastPicture || document.createElement("canvas");
    this.lastPicture.width = this.base.width;
    this.lastPicture.height = this.base.height;
    this.lastPicture.getContext("2d").drawImage(this.base, 0, 0);
  }

  drawRoads(context) {
    context.strokeStyle = data.road_colour;
    context.lineWidth = Math.max(0.8, Math.min(12, (7 / step) * this.view.scale));
    context.beginPath();
    for (let part = 0; part < this.roads.parts; part++) this.trace(context, this.roads, part);
    context.stroke();
  }

  drawClasses(context, parts) {
    const byClass = data.classes.map(() => []);
    for (const part of parts) byClass[this.classes[part]].push(part);
    const growth = this.growth();
    for (let number = byClass.length - 1; number >= 0; number--) {
      context.strokeStyle = data.classes[number].colour;
      context.lineWidth = data.classes[number].width * WIDTH_PX_PER_MM * growth;
      context.beginPath();
      for (const part of byClass[number]) this.trace(context, this.lines, part);
      context.stroke();
    }
    return new Set(parts.map((part) => this.lines.owner[part])).size;
  }

  // Lines are thin where a whole region is shown and thick where a street is: by how long a pipe is on the screen.
  growth() {
    const share = (this.meanLength * this.view.scale) / USUAL_PX;
    return share < 1 ? Math.max(0.42, Math.sqrt(share)) : Math.min(2.4, Math.pow(share, 0.28));
  }

  trace(context, lines, part) {
    const { x, y, scale } = this.view;
    const middle = this.width / 2, centre = this.height / 2;
    for (let point = lines.start[part]; point < lines.start[part + 1]; point++) {
      const px = (lines.xs[point] - x) * scale + middle, py = (y - lines.ys[point]) * scale + centre;
      if (point === lines.start[part]) context.moveTo(px, py);
      else context.lineTo(px, py);
    }
  }

  drawTop() {
    const context = this.top.getContext("2d");
    context.clearRect(0, 0, this.width, this.height);
    if (this.selected < 0) return;
    context.lineCap = context.lineJoin = "round";
    const width = data.classes[classOf(this.selected)].width * WIDTH_PX_PER_MM * this.growth();
    for (const [colour, more] of [["#10202f", 7], ["#ffffff", 4], [data.classes[classOf(this.selected)].colour, 0]]) {
      context.strokeStyle = colour;
      context.lineWidth = Math.max(width, 2) + more;
      context.beginPath();
      for (const part of this.partsOf.get(this.selected) || []) this.trace(context, this.lines, part);
      context.stroke();
    }
  }

  // The pipe under a point: the nearest, and of several as near the one ranked highest.
  at(px, py, reach) {
    const [x, y] = this.toMap(px, py);
    const units = reach / this.view.scale;
    const near = [];
    for (const part of this.grid.within(x - units, y - units, x + units, y + units)) {
      const distance = distanceTo(this.lines, part, x, y) * this.view.scale;
      if (distance <= reach) near.push([this.lines.owner[part], distance]);
    }
    if (!near.length) return { pipe: -1, more: 0 };
    const best = Math.min(...near.map(([, distance]) => distance)) + 1.5;
    const here = [...new Set(near.filter(([, distance]) => distance <= best).map(([pipe]) => pipe))];
    return { pipe: Math.min(...here), more: here.length - 1 };
  }

  select(pipe, more = 0) {
    this.selected = pipe;
    this.drawTop();
    showCard(this, pipe, more);
  }

  // Bring a pipe to the middle, near enough to see its street.
  show(pipe) {
    const parts = this.partsOf.get(pipe);
    this.pinned = true;
    if (parts) {
      const { start, xs, ys } = this.lines;
      const middle = (start[parts[0]] + start[parts[0] + 1]) >> 1;
      this.view.x = xs[middle];
      this.view.y = ys[middle];
      this.view.scale = Math.max(this.view.scale, 0.8 * step);
      this.draw();
    }
    this.select(pipe);
  }
}

function distanceTo(lines, part, x, y) {
  let best = Infinity;
  const last = lines.start[part + 1] - 1;
  for (let point = lines.start[part]; point < last; point++) {
    const ax = lines.xs[point], ay = lines.ys[point];
    const dx = lines.xs[point + 1] - ax, dy = lines.ys[point + 1] - ay;
    const along = dx || dy ? ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy) : 0;
    const t = Math.max(0, Math.min(1, along));
    best = Math.min(best, Math.hypot(x - ax - t * dx, y - ay - t * dy));
  }
  return best;
}

function showCard(map, pipe, more) {
  const card = map.card;
  card.replaceChildren();
  card.hidden = pipe < 0;
  if (pipe < 0) return;
  const head = element("p", "card-head", say("rank", { rank: numeral(pipe + 1, 0), total: numeral(total, 0) }));
  head.style.setProperty("--class", data.classes[classOf(pipe)].colour);
  const street = nameOf(pipes.street, pipe);
  card.append(head, element("p", "card-street", street || say("pipe", { id: pipes.id[pipe] })));
  card.append(element("p", "card-what", whatItIs(pipe)));
  card.append(element("p", "card-rate", say("rate", { rate: rateText(pipes.rate[pipe]) })));
  card.append(element("p", "card-what", say("interval", { low: rateText(pipes.low[pipe]), high: rateText(pipes.high[pipe]) })));
  if (pipes.fifth[pipe] !== null) {
    const chance = { fifth: chanceText(pipes.fifth[pipe]), first: chanceText(pipes.first[pipe]) };
    card.append(element("p", "card-what", say("top", chance)));
  }
  card.append(reasonList(pipe));
  const foot = [say("pipe", { id: pipes.id[pipe] }), nameOf(pipes.position, pipe)];
  if (more) foot.push(say("more_here", { count: more }));
  card.append(element("p", "card-foot", foot.join(" · ")));
}

function reasonList(pipe) {
  const list = element("ul", "reasons");
  for (const { times, words } of reasonsOf(pipe)) {
    const item = element("li");
    item.append(element("b", "", times), " " + words);
    list.append(item);
  }
  if (!list.children.length) list.append(element("li", "", texts.no_reasons));
  return list;
}

function scaleBar(map) {
  const metresPerPx = step / map.view.scale;
  const longest = 120 * metresPerPx;
  const power = Math.pow(10, Math.floor(Math.log10(longest)));
  const length = [5, 2, 1].map((times) => times * power).find((metres) => metres <= longest);
  const bar = map.box.querySelector(".map-scale");
  bar.style.width = length / metresPerPx + "px";
  bar.textContent = length >= 1000 ? numeral(length / 1000, 0) + " km" : numeral(length, length < 1 ? 1 : 0) + " m";
}
