// The card of one plot: its facts, its curve, its farmers.
const card = byId("card");
const SVG = "http://www.w3.org/2000/svg";

function cell(name, content) {
  card.querySelector(`[data-cell=${name}]`).replaceChildren(content);
}

function draw(group, tag, attributes, title) {
  const node = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  if (title) {
    node.append(document.createElementNS(SVG, "title"));
    node.firstChild.textContent = title;
  }
  group.append(node);
  return node;
}

// Shades, line, ticks and dots as agrocredit/report/curves.py draws them, into the axes that it drew.
function drawCurve(looks) {
  const { window: [first, last], box: [left, right, top, bottom], range: [low, high], clear_min, gap_days } = data.frame;
  const groups = {};
  byId("card-curve").querySelectorAll("g").forEach((group) => {
    groups[group.getAttribute("class")] = group;
    group.replaceChildren();
  });
  const x = (day) => left + ((right - left) * (day - first)) / Math.max(last - first, 1);
  const y = (value) => bottom - ((bottom - top) * (Math.min(Math.max(value, low), high) - low)) / (high - low);
  const clear = looks.filter((look) => look.value !== null && look.fraction >= clear_min);

  const stops = [first, ...clear.map((look) => look.day), last];
  let longest = 0;
  stops.slice(1).forEach((stop, at) => {
    const days = stop - stops[at];
    if (days < gap_days) return;
    longest = Math.max(longest, days);
    const wide = { x: x(stops[at]), y: top, width: x(stop) - x(stops[at]), height: bottom - top };
    draw(groups.gaps, "rect", wide, `no clear look for ${days} days, ${dayWords(stops[at])} to ${dayWords(stop)}`);
    if (wide.width > 26) {
      draw(groups.gaps, "text", { x: wide.x + wide.width / 2, y: top + 11 }).textContent = `${days} d`;
    }
  });
  clear.slice(1).forEach((look, at) => {
    const line = { x1: x(clear[at].day), y1: y(clear[at].value), x2: x(look.day), y2: y(look.value) };
    draw(groups.line, "line", look.day - clear[at].day >= gap_days ? { ...line, class: "unknown" } : line);
  });
  looks.forEach((look) => {
    const seen = clear.includes(look);
    const at = { x1: x(look.day), x2: x(look.day), y1: bottom, y2: bottom + 5 };
    draw(groups.looks, "line", seen ? { ...at, class: "clear" } : at);
    if (look.value === null) return;
    const title = `${dayWords(look.day)}: ${data.frame.index} ${look.value.toFixed(2)}, ${Math.round(100 * look.fraction)} % of the plot seen`;
    const dot = { cx: x(look.day), cy: y(look.value), r: 1.2 + 2.6 * Math.sqrt(look.fraction), opacity: 0.35 + 0.65 * look.fraction };
    draw(groups.dots, "circle", seen ? dot : { ...dot, class: "hazy" }, title);
  });
  const words = `${clear.length} of ${looks.length} looks clear${longest ? `; longest time without one: ${longest} days` : ""}.`;
  byId("card-curve").setAttribute("aria-label", words);
  return words;
}

function farmerBlock(farmer) {
  const block = make("div", undefined, "holder");
  const head = make("p", make("span", "Farmer ", "k"));
  head.append(make("bdi", data.farmers.id[farmer]), ": ");
  const limit = data.farmers.limit[farmer];
  head.append(make("strong", text(data.farmers.outcome[farmer]) + (limit ? `, ${limit}` : "")));
  const due = text(data.farmers.due[farmer]);
  if (due) head.append(`, due ${due}`);
  block.append(head);
  const caps = make("table", undefined, "caps");
  data.farmers.caps[farmer].forEach(([name, amount]) => {
    const row = make("tr", make("td", text(name)), text(name) === text(data.farmers.cap[farmer]) ? "binding" : "");
    row.append(make("td", amount, "num"));
    caps.append(row);
  });
  block.append(caps);
  const reasons = make("ol");
  data.farmers.reasons[farmer].forEach((reason) => reasons.append(make("li", text(reason))));
  block.append(reasons, hashLine("Decision ", data.farmers.hash[farmer]));
  return block;
}

function hashLine(words, digest) {
  const line = make("span", words, "small");
  const short = make("abbr", digest.slice(0, 12), "hash");
  short.title = digest;
  line.append(short);
  return line;
}

let opener = null;

function openCard(plot) {
  opener = document.activeElement;
  point(plot);
  reveal(plot);
  card.hidden = false;
  cell("id", data.plots.id[plot]);
  cell("facts", `${text(data.plots.crop[plot])}, ${data.plots.area[plot]}`);
  cell("answer", data.plots.yield[plot] ? `Yield ${data.plots.yield[plot]} t/ha` : text(data.plots.why[plot]));
  const curve = byId("card-curve");
  if (curve) {
    const carried = hasLooks(plot);
    curve.toggleAttribute("hidden", !carried);
    cell("looks", carried ? drawCurve(unpackLooks(plot)) : "The page does not carry this plot's curve; the observations do.");
  }
  const farmers = document.createDocumentFragment();
  farmersOf[plot].forEach((farmer) => farmers.append(farmerBlock(farmer)));
  cell("farmers", farmers);
  cell("evidence", data.plots.evidence[plot] ? hashLine("Evidence ", data.plots.evidence[plot]) : "");
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

if (card) {
  const close = () => {
    card.hidden = true;
    (opener && opener.isConnected && opener !== document.body ? opener : map).focus();
  };
  card.querySelector(".close").addEventListener("click", close);
  card.addEventListener("keydown", (event) => event.key === "Escape" && close());
  // A link to the page may name a plot: report.html#plot=ID
  const named = /^#plot=(.+)$/.exec(location.hash);
  const linked = named ? data.plots.id.indexOf(decodeURIComponent(named[1])) : -1;
  if (linked >= 0) openCard(linked);
}
