// The table of farmers: search, one outcome only, sort by a column, page by page; all rows when printed.
const table = byId("farmers");
const PRINTED_MAX = 1000;

function plotLink(plot) {
  const link = make("button", make("bdi", data.plots.id[plot]), "link");
  link.type = "button";
  link.addEventListener("click", () => openCard(plot));
  return link;
}

function plotsOf(farmer) {
  const span = make("span", undefined, "small plots");
  const plots = data.farmers.plots[farmer];
  plots.slice(0, 3).forEach((plot, at) => span.append(at ? ", " : "", plotLink(plot)));
  const more = data.farmers.held[farmer] - Math.min(plots.length, 3);
  if (!data.farmers.held[farmer]) span.append("no plot in this run");
  else if (more) span.append(`${plots.length ? " and " : ""}${more} more`);
  return span;
}

function yieldCell(farmer) {
  const part = document.createDocumentFragment();
  const bar = data.farmers.bar[farmer];
  if (!bar) {
    part.append(make("span", "cannot be told", "small"));
    return part;
  }
  const range = make("span", undefined, "range");
  range.setAttribute("aria-hidden", "true");
  const [span, middle] = [make("i"), make("b")];
  span.style.left = bar[0] + "%";
  span.style.width = (bar[2] - bar[0]).toFixed(1) + "%";
  middle.style.left = bar[1] + "%";
  range.append(span, middle);
  part.append(make("span", data.farmers.yield[farmer], "yield"), range);
  const [estimated, held] = [data.farmers.estimated[farmer], data.farmers.held[farmer]];
  if (estimated < held) part.append(make("span", `${estimated} of ${held} plots`, "small"));
  return part;
}

function farmerRow(farmer) {
  const row = make("tr");
  const add = (label, content, name, tag = "td") => {
    const node = make(tag, content, name);
    node.dataset.label = label;
    row.append(node);
    return node;
  };
  const head = add("Farmer", make("bdi", data.farmers.id[farmer]), "", "th");
  head.scope = "row";
  head.append(plotsOf(farmer));
  const outcome = text(data.farmers.outcome[farmer]);
  add("Answer", make("span", outcome, `outcome ${outcome.split(" ")[0]}`));
  add("Limit", data.farmers.limit[farmer] || "–", "num");
  add("Set by", text(data.farmers.cap[farmer]) || "–");
  add("Due", text(data.farmers.due[farmer]) || "–", "nowrap");
  add("Yield, t/ha", yieldCell(farmer));
  const reasons = make("ol");
  data.farmers.reasons[farmer].forEach((reason) => reasons.append(make("li", text(reason))));
  add("Reasons", reasons);
  return row;
}

function startTable() {
  const all = data.farmers.id.map((_, farmer) => farmer);
  const searched = all.map((farmer) =>
    [data.farmers.id[farmer], ...data.farmers.plots[farmer].map((plot) => data.plots.id[plot])].join("\n").toLowerCase(),
  );
  let order = all;
  let sorted = { column: "minor", down: true };
  let page = 0;

  const keyOf = {
    id: (farmer) => data.farmers.id[farmer],
    outcome: (farmer) => text(data.farmers.outcome[farmer]),
    minor: (farmer) => data.farmers.minor[farmer],
    cap: (farmer) => text(data.farmers.cap[farmer]) || null,
    due_on: (farmer) => text(data.farmers.due_on[farmer]) || null,
    yield: (farmer) => (data.farmers.bar[farmer] ? data.farmers.bar[farmer][1] : null),
  };

  function matching() {
    const wanted = byId("search").value.trim().toLowerCase();
    const outcome = byId("outcome").value;
    return order.filter(
      (farmer) => searched[farmer].includes(wanted) && (!outcome || text(data.farmers.outcome[farmer]) === outcome),
    );
  }

  function sortBy(column) {
    sorted = { column, down: sorted.column === column ? !sorted.down : column === "minor" || column === "yield" };
    const key = keyOf[column];
    const keys = new Map(all.map((farmer) => [farmer, key(farmer)]));
    order = [...all].sort((one, other) => {
      const [a, b] = [keys.get(one), keys.get(other)];
      if (a === b) return one - other;
      if (a === null || b === null) return a === null ? 1 : -1; // what is unknown comes last, either way
      return (a < b ? -1 : 1) * (sorted.down ? -1 : 1);
    });
    table.querySelectorAll("th[data-sort]").forEach((head) => {
      head.setAttribute("aria-sort", head.dataset.sort === column ? (sorted.down ? "descending" : "ascending") : "none");
    });
    show(0);
  }

  function show(next, rows = data.rows) {
    const found = matching();
    const pages = Math.max(1, Math.ceil(found.length / rows));
    page = Math.min(Math.max(next, 0), pages - 1);
    const shown = found.slice(page * rows, (page + 1) * rows);
    table.tBodies[0].replaceChildren(...shown.map(farmerRow));
    byId("found").textContent = `${found.length.toLocaleString("en")} of ${all.length.toLocaleString("en")} farmers`;
    const pager = byId("pager");
    pager.replaceChildren();
    if (pages === 1) return;
    const turn = (words, to) => {
      const button = make("button", words);
      button.type = "button";
      button.disabled = to < 0 || to >= pages;
      button.addEventListener("click", () => show(to));
      return button;
    };
    const first = page * rows + 1;
    pager.append(turn("Previous", page - 1), ` ${first} to ${first + shown.length - 1} of ${found.length} `, turn("Next", page + 1));
  }

  [...new Set(data.farmers.outcome)].sort((a, b) => a - b).forEach((outcome) => byId("outcome").append(make("option", text(outcome))));
  table.querySelectorAll("th[data-sort]").forEach((head) => {
    const button = make("button", head.textContent, "sort");
    button.type = "button";
    button.addEventListener("click", () => sortBy(head.dataset.sort));
    head.replaceChildren(button);
  });
  table.querySelector("th[data-sort=minor]").setAttribute("aria-sort", "descending");
  byId("tools").hidden = false;
  byId("search").addEventListener("input", () => show(0));
  byId("outcome").addEventListener("change", () => show(0));
  window.addEventListener("beforeprint", () => show(0, PRINTED_MAX));
  window.addEventListener("afterprint", () => show(page));
  show(0);
}

if (table) startTable();
