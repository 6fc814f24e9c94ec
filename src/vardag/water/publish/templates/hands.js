// Mouse, wheel, fingers and keys. The page scrolls past the map until the reader has taken hold of it.
function listenToMap(map) {
  listenToMouse(map);
  listenToWheel(map);
  listenToFingers(map);
  listenToKeys(map);
  listenToButtons(map);
  new ResizeObserver(() => {
    const atWhole = map.view.scale === map.whole;
    map.resize();
    if (atWhole) map.fit();
    else map.draw();
  }).observe(map.box);
}

function place(map, event) {
  const box = map.box.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function listenToMouse(map) {
  let held = null;
  map.top.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" || event.button) return;
    held = { at: place(map, event), moved: false };
    map.top.setPointerCapture(event.pointerId);
  });
  map.top.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch") return;
    const [x, y] = place(map, event);
    if (!held) return point(map, x, y);
    if (Math.hypot(x - held.at[0], y - held.at[1]) > 3 || held.moved) {
      map.pan(x - held.at[0], y - held.at[1]);
      held = { at: [x, y], moved: true };
    }
  });
  map.top.addEventListener("pointerup", () => { map.justMoved = Boolean(held && held.moved); held = null; });
  map.top.addEventListener("pointerleave", () => { if (!map.pinned) map.select(-1); });
  map.top.addEventListener("click", (event) => {
    if (map.justMoved) return;
    const { pipe, more } = map.at(...place(map, event), REACH_PX * 1.6);
    map.pinned = pipe >= 0;
    map.select(pipe, more);
  });
  map.top.addEventListener("dblclick", (event) => map.zoom(2, ...place(map, event)));
}

function point(map, x, y) {
  if (map.pinned) return;
  const { pipe, more } = map.at(x, y, REACH_PX);
  map.top.style.cursor = pipe >= 0 ? "pointer" : "grab";
  if (pipe !== map.selected) map.select(pipe, more);
}

function hint(map, key) {
  map.hint.textContent = texts[key];
  map.hint.classList.add("shown");
  clearTimeout(map.hintGone);
  map.hintGone = setTimeout(() => map.hint.classList.remove("shown"), 1600);
}

function listenToWheel(map) {
  map.top.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== map.top && !expanded(map)) return hint(map, "hint_wheel");
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 30 : 1;
    map.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.008 : 0.0018)), ...place(map, event));
  }, { passive: false });
}

// One finger scrolls the page and two move the map; in the large map one finger is enough.
function listenToFingers(map) {
  let last = null;
  const middle = (touches) => {
    const spots = [...touches].map((touch) => place(map, touch));
    const x = spots.reduce((sum, spot) => sum + spot[0], 0) / spots.length;
    const y = spots.reduce((sum, spot) => sum + spot[1], 0) / spots.length;
    const spread = spots.length > 1 ? Math.hypot(spots[0][0] - spots[1][0], spots[0][1] - spots[1][1]) : 0;
    return { x, y, spread, fingers: spots.length };
  };
  map.top.addEventListener("touchstart", (event) => { last = middle(event.touches); }, { passive: true });
  map.top.addEventListener("touchmove", (event) => {
    if (event.touches.length < 2 && !expanded(map)) return hint(map, "hint_touch");
    event.preventDefault();
    const now = middle(event.touches);
    if (last && last.fingers === now.fingers) {
      map.pan(now.x - last.x, now.y - last.y);
      if (last.spread && now.spread) map.zoom(now.spread / last.spread, now.x, now.y);
    }
    last = now;
  }, { passive: false });
  map.top.addEventListener("touchend", (event) => { last = event.touches.length ? middle(event.touches) : null; });
}

function listenToKeys(map) {
  const move = 60;
  const actions = {
    ArrowLeft: () => map.pan(move, 0), ArrowRight: () => map.pan(-move, 0),
    ArrowUp: () => map.pan(0, move), ArrowDown: () => map.pan(0, -move),
    "+": () => map.zoom(1.5), "-": () => map.zoom(1 / 1.5), 0: () => map.fit(),
    n: () => map.show(Math.min(total - 1, map.selected + 1)), p: () => map.show(Math.max(0, map.selected - 1)),
    Escape: () => { map.pinned = false; map.select(-1); if (expanded(map)) expand(map); },
  };
  map.top.addEventListener("keydown", (event) => {
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });
}

function expanded(map) {
  return map.box.classList.contains("map-large");
}

function expand(map) {
  const large = map.box.classList.toggle("map-large");
  document.body.classList.toggle("map-open", large);
  const button = map.box.querySelector("[data-do=expand]");
  button.title = large ? texts.shrink : texts.expand;
  button.setAttribute("aria-label", button.title);
  map.top.focus();
}

function listenToButtons(map) {
  const actions = { in: () => map.zoom(1.6), out: () => map.zoom(1 / 1.6), all: () => map.fit(), expand: () => expand(map) };
  for (const button of map.box.querySelectorAll("[data-do]")) {
    button.addEventListener("click", actions[button.dataset.do]);
  }
}
