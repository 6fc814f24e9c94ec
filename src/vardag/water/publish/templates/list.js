// The ranked list: sorts the rows shown, searches all pipes.
const SHOWN = 50;
const FIRST = 12;

class RankedList {
  constructor(table, map) {
    this.body = table.tBodies[0];
    this.note = document.querySelector(".list-note");
    this.map = map;
    this.key = "rank";
    this.ascending = true;
    this.found = null;
    this.all = false;
    this.more = document.querySelector(".more");
    this.more.addEventListener("click", () => { this.all = true; this.show(); });
    this.street = pipes.street.names.map((name) => name.toLowerCase());
    this.material = pipes.material.names.map((name) => name.toLowerCase());
    this.id = pipes.id.map((id) => id.toLowerCase());
    for (const head of table.tHead.querySelectorAll("th[data-key]")) this.makeSortable(head);
    document.querySelector(".list-search input").addEventListener("input", (event) => this.search(event.target.value));
    this.body.addEventListener("click", (event) => this.clicked(event));
    document.querySelector(".list-search").hidden = false;
    window.addEventListener("beforeprint", () => { this.all = true; this.show(); });
    this.show();
  }

  makeSortable(head) {
    const button = element("button", "sort", head.textContent);
    button.type = "button";
    button.title = say("sort_by", { column: head.textContent });
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const key = head.dataset.key;
      this.ascending = this.key === key ? !this.ascending : key === "rank" || key === "street" || key === "year";
      this.key = key;
      for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", this.ascending ? "ascending" : "descending");
      this.show();
    });
  }

  search(query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    this.found = words.length ? [] : null;
    for (let pipe = 0; words.length && pipe < total; pipe++) {
      const text = [this.id[pipe], this.street[pipes.street.at[pipe]], this.material[pipes.material.at[pipe]], pipes.year[pipe]].join(" ");
      if (words.every((word) => text.includes(word))) this.found.push(pipe);
    }
    this.show();
  }

  show() {
    const rows = this.found || Array.from({ length: Math.min(SHOWN, total) }, (_, pipe) => pipe);
    const value = {
      rank: (pipe) => pipe, street: (pipe) => nameOf(pipes.street, pipe) || "\uffff", rate: (pipe) => pipes.rate[pipe],
      length: (pipe) => pipes.length[pipe], year: (pipe) => pipes.year[pipe] || 9999,
    }[this.key];
    const way = this.ascending ? 1 : -1;
    const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, data.language) : a - b);
    const sorted = [...rows].sort((a, b) => way * compare(value(a), value(b)) || a - b).slice(0, this.all ? SHOWN : FIRST);
    this.body.replaceChildren(...sorted.map((pipe) => rowOf(pipe)));
    const most = Math.min(rows.length, SHOWN);
    const shown = rows.length > sorted.length ? ", " + say("shown", { count: sorted.length }) : "";
    this.more.hidden = sorted.length >= most;
    this.more.textContent = say("show_more", { count: most });
    this.note.textContent = this.found ? say("found", { count: numeral(rows.length, 0), total: numeral(total, 0) }) + shown : "";
    this.body.closest("table").dataset.rows = String(sorted.length);
  }

  clicked(event) {
    const row = event.target.closest("tr");
    if (!row || !this.map || String(window.getSelection())) return;
    this.map.show(Number(row.dataset.pipe));
    this.map.box.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    if (event.detail === 0) this.map.top.focus({ preventScroll: true });
  }
}

function rowOf(pipe) {
  const row = element("tr");
  row.dataset.pipe = String(pipe);
  const rank = element("button", "rank", numeral(pipe + 1, 0));
  rank.type = "button";
  rank.title = texts.show_on_map;
  rank.style.setProperty("--class", data.classes[classOf(pipe)].colour);
  const where = element("td", "where");
  where.append(element("b", "", nameOf(pipes.street, pipe) || "–"), element("span", "quiet", pipes.id[pipe]));
  const what = [nameOf(pipes.material, pipe)].concat(pipes.diameter[pipe] === null ? [] : [pipes.diameter[pipe] + "\u00a0mm"]);
  const rate = element("td", "figure");
  rate.append(element("b", "", rateText(pipes.rate[pipe])), element("span", "quiet", rateText(pipes.low[pipe]) + "–" + rateText(pipes.high[pipe])));
  const reasons = element("td", "why");
  reasons.append(reasonList(pipe));
  const first = element("td", "figure");
  first.append(rank);
  const length = pipes.length[pipe] === null ? "–" : numeral(pipes.length[pipe], 0) + " m";
  const plain = (text) => element("td", "figure", text);
  row.append(first, where, element("td", "what", what.join(", ")), plain(pipes.year[pipe] === null ? "–" : String(pipes.year[pipe])), plain(length), rate, reasons);
  return row;
}
