"use strict";
// What the page carries, and its looks unpacked (agrocredit/report/packed_looks.py packs them).
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const text = (number) => data.texts[number];

// The farmers of each plot, by number.
const farmersOf = data.plots.id.map(() => []);
data.farmers.plots.forEach((plots, farmer) => plots.forEach((plot) => farmersOf[plot].push(farmer)));

// Text always goes in as text, never as markup: ids come from users.
function make(tag, content, name) {
  const node = document.createElement(tag);
  if (content !== undefined) node.append(content);
  if (name) node.className = name;
  return node;
}

function hasLooks(plot) {
  return plot % data.looks.every === 0;
}

function unpackLooks(plot) {
  const { alphabet, low, high, slots, packed, every } = data.looks;
  const line = packed[plot / every];
  const looks = [];
  for (let at = 0, slot = 0; at < line.length; slot += 1) {
    if (line[at] === ".") at += 1;
    else if (line[at] === "-") {
      looks.push({ day: slots[slot], value: null, fraction: 0 });
      at += 1;
    } else {
      const [first, second, third] = [0, 1, 2].map((step) => alphabet.indexOf(line[at + step]));
      looks.push({ day: slots[slot], value: low + ((first * 64 + second) / 4095) * (high - low), fraction: third / 63 });
      at += 3;
    }
  }
  return looks;
}

function dayWords(day) {
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const date = new Date(day * 86400000);
  return `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}
