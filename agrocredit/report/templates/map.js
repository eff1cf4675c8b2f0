// The map: hover and focus say what a plot is, press opens its card, wheel and buttons zoom, drag moves.
const map = byId("map");
const paths = map ? Array.from(map.querySelectorAll("path")) : [];
const pathOf = [];
const plotOf = new Map();
data.painted.forEach((plot, at) => {
  pathOf[plot] = paths[at];
  plotOf.set(paths[at], plot);
});
let focused = null;
let middles = null; // measured on first use
let reveal = () => {}; // brings a plot into view; set when the map starts

function middle(plot) {
  middles = middles || pathOf.map((path) => {
    const box = path.getBBox();
    return [box.x + box.width / 2, box.y + box.height / 2];
  });
  return middles[plot];
}

function plotLine(plot) {
  const answer = data.plots.yield[plot] ? `yield ${data.plots.yield[plot]} t/ha` : text(data.plots.why[plot]);
  const farmers = farmersOf[plot].map((farmer) => {
    const outcome = text(data.farmers.outcome[farmer]);
    return `farmer ${data.farmers.id[farmer]} ${outcome}${data.farmers.limit[farmer] ? ", " + data.farmers.limit[farmer] : ""}`;
  });
  return [`Plot ${data.plots.id[plot]}`, data.plots.area[plot], ...farmers, answer].join(" · ");
}

function point(plot) {
  if (focused !== null) pathOf[focused].classList.remove("at");
  focused = plot;
  pathOf[plot].classList.add("at");
  byId("readout").textContent = plotLine(plot);
}

function step(key) {
  // The nearest plot in the direction of the key, seen from the one in focus.
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  const [x, y] = middle(focused);
  let best = null;
  let least = Infinity;
  pathOf.forEach((_, plot) => {
    const [mx, my] = middle(plot);
    const along = (mx - x) * dx + (my - y) * dy;
    const across = Math.abs((mx - x) * dy) + Math.abs((my - y) * dx);
    if (plot !== focused && along > 0 && along + 2 * across < least) {
      least = along + 2 * across;
      best = plot;
    }
  });
  if (best === null) return;
  point(best);
  reveal(best);
}

function startMap() {
  const whole = map.viewBox.baseVal;
  const full = { x: 0, y: 0, width: whole.width, height: whole.height };
  let view = { ...full };

  function show(next) {
    const width = Math.min(full.width, Math.max(next.width, full.width / 400));
    const height = (width * full.height) / full.width;
    view = {
      width,
      height,
      x: Math.min(Math.max(next.x, 0), full.width - width),
      y: Math.min(Math.max(next.y, 0), full.height - height),
    };
    map.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
    map.style.setProperty("--rim", Math.max(1, (3 * width) / full.width) + "px");
    map.classList.toggle("zoomed", width < full.width);
    scale((data.map.width_m * width) / full.width);
  }

  function scale(width_m) {
    const power = 10 ** Math.floor(Math.log10(width_m / 5));
    const length_m = [5, 2, 1].map((times) => times * power).find((length) => length <= (width_m / 5) * 1.000001);
    byId("scale").querySelector("i").style.width = (100 * length_m) / width_m + "%";
    byId("scale").querySelector("b").textContent =
      length_m >= 1000 ? `${length_m / 1000} km` : `${Number(length_m.toPrecision(1))} m`;
  }

  function zoom(times, x, y) {
    const width = Math.min(view.width / times, full.width);
    const height = (width * full.height) / full.width;
    show({ width, x: view.x + (view.width - width) * x, y: view.y + (view.height - height) * y });
  }

  // Buttons and keys zoom around the plot pointed at last, or else the middle.
  function zoomHere(times) {
    const [x, y] = focused === null ? [view.x + view.width / 2, view.y + view.height / 2] : middle(focused);
    const width = Math.min(view.width / times, full.width);
    show({ width, x: x - width / 2, y: y - (width * full.height) / full.width / 2 });
  }

  reveal = (plot) => {
    const [x, y] = middle(plot);
    const inside = x > view.x && x < view.x + view.width && y > view.y && y < view.y + view.height;
    if (!inside) show({ ...view, x: x - view.width / 2, y: y - view.height / 2 });
  };

  const [nearer, farther, all] = byId("zoom").querySelectorAll("button");
  byId("zoom").hidden = false;
  nearer.addEventListener("click", () => zoomHere(2));
  farther.addEventListener("click", () => zoomHere(1 / 2));
  all.addEventListener("click", () => show(full));
  map.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
    event.preventDefault();
    const box = map.getBoundingClientRect();
    zoom(event.deltaY < 0 ? 1.25 : 0.8, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  }, { passive: false });

  let held = null;
  let moved = false;
  map.addEventListener("pointerdown", (event) => {
    held = { x: event.clientX, y: event.clientY, view };
    moved = false;
  });
  map.addEventListener("pointermove", (event) => {
    if (!held || event.buttons === 0) return;
    const unit = view.width / map.clientWidth;
    const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
    moved = moved || Math.hypot(dx, dy) > 4;
    if (moved) show({ ...held.view, x: held.view.x - dx * unit, y: held.view.y - dy * unit });
  });
  window.addEventListener("pointerup", () => { held = null; });
  map.addEventListener("pointerover", (event) => plotOf.has(event.target) && point(plotOf.get(event.target)));
  map.addEventListener("click", (event) => !moved && plotOf.has(event.target) && openCard(plotOf.get(event.target)));
  map.addEventListener("focus", () => focused === null && pathOf.length && point(0));
  map.addEventListener("keydown", (event) => {
    if (focused !== null && (event.key === "Enter" || event.key === " ")) openCard(focused);
    else if (focused !== null && event.key.startsWith("Arrow")) step(event.key);
    else if (event.key === "+") zoomHere(2);
    else if (event.key === "-") zoomHere(1 / 2);
    else return;
    event.preventDefault();
  });
}

if (map) startMap();
