// Reads the data block: whole numbers, each point told by its difference from the one before.
const data = JSON.parse(document.getElementById("vardag-data").textContent);
const pipes = data.pipes;
const total = pipes.id.length;
const texts = data.texts;

function say(key, values) {
  return texts[key].replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

function numeral(value, digits) {
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return value.toLocaleString(data.language === "sv" ? "sv-SE" : "en-GB", format);
}

// About two significant digits, as in the tables; rates come in 1/10,000 breaks per km and year.
function rateText(value) {
  if (value === null) return "–";
  const rate = value / 1e4;
  return numeral(rate, rate >= 9.95 ? 1 : rate >= 0.0995 ? 2 : 3);
}

// A chance in whole per cent; one that is not nought or one is never told as such.
function chanceText(percent) {
  const told = percent <= 0 ? "< 1" : percent >= 100 ? "> 99" : String(percent);
  return told + (data.language === "sv" ? "\u00a0%" : "%");
}

function multiplierText(hundredths) {
  const value = hundredths / 100;
  return numeral(value, value >= 9.95 ? 0 : value >= 0.95 ? 1 : 2);
}

function nameOf(column, pipe) {
  return column.names[column.at[pipe]];
}

function reasonsOf(pipe) {
  const told = [];
  for (let place = 0; place < 3; place++) {
    const at = 2 * (3 * pipe + place);
    const word = pipes.reasons.at[at];
    if (word >= 0) told.push({ times: "× " + multiplierText(pipes.reasons.at[at + 1]), words: pipes.reasons.names[word] });
  }
  return told;
}

function whatItIs(pipe) {
  const told = [nameOf(pipes.material, pipe)];
  if (pipes.diameter[pipe] !== null) told.push(pipes.diameter[pipe] + " mm");
  if (pipes.year[pipe] !== null) told.push(String(pipes.year[pipe]));
  told.push(numeral(pipes.length[pipe] || 0, 0) + " m");
  return told.join(", ");
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function classOf(pipe) {
  let number = 0;
  while (pipe >= pipes.class_ends[number]) number++;
  return number;
}

function decode(lines) {
  const parts = lines.n.length;
  const start = new Int32Array(parts + 1);
  const owner = new Int32Array(parts);
  for (let part = 0, row = 0; part < parts; part++) {
    start[part + 1] = start[part] + lines.n[part];
    row += lines.o[part];
    owner[part] = row;
  }
  const xs = new Int32Array(start[parts]);
  const ys = new Int32Array(start[parts]);
  for (let point = 0, x = 0, y = 0; point < xs.length; point++) {
    x += lines.d[2 * point];
    y += lines.d[2 * point + 1];
    xs[point] = x;
    ys[point] = y;
  }
  return { parts, start, owner, xs, ys };
}

// A square grid over the lines: which parts touch a rectangle, without looking at all of them.
class Grid {
  constructor(lines, width, height) {
    this.lines = lines;
    this.size = Math.max(1, Math.sqrt((width * height * 4) / Math.max(lines.parts, 1)));
    this.columns = Math.floor(width / this.size) + 1;
    this.rows = Math.floor(height / this.size) + 1;
    this.cells = new Map();
    this.seen = new Int32Array(lines.parts);
    this.round = 0;
    for (let part = 0; part < lines.parts; part++) this.insert(part);
  }

  insert(part) {
    const { start, xs, ys } = this.lines;
    let west = Infinity, east = -Infinity, south = Infinity, north = -Infinity;
    for (let point = start[part]; point < start[part + 1]; point++) {
      west = Math.min(west, xs[point]);
      east = Math.max(east, xs[point]);
      south = Math.min(south, ys[point]);
      north = Math.max(north, ys[point]);
    }
    this.each(west, south, east, north, (key) => {
      const cell = this.cells.get(key);
      if (cell) cell.push(part);
      else this.cells.set(key, [part]);
    });
  }

  each(west, south, east, north, visit) {
    const clamp = (value, most) => Math.max(0, Math.min(most - 1, Math.floor(value / this.size)));
    const last = clamp(east, this.columns), top = clamp(north, this.rows);
    for (let row = clamp(south, this.rows); row <= top; row++) {
      for (let column = clamp(west, this.columns); column <= last; column++) visit(row * this.columns + column);
    }
  }

  within(west, south, east, north) {
    const found = [];
    this.round++;
    this.each(west, south, east, north, (key) => {
      for (const part of this.cells.get(key) || []) {
        if (this.seen[part] === this.round) continue;
        this.seen[part] = this.round;
        found.push(part);
      }
    });
    return found;
  }
}
