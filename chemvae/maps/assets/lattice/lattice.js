// Behind every molecule the colour of a property; a card for the one that is pointed at.
"use strict";
const facts = JSON.parse(document.getElementById("facts").textContent);
const cells = [...document.querySelectorAll(".cell")];
const size = Math.round(Math.sqrt(cells.length));
const [menu, card, scale] = ["property", "card", "scale"].map((id) => document.getElementById(id));

const node = (tag, text, name) => Object.assign(document.createElement(tag), { textContent: text ?? "", className: name ?? "" });
const numberText = (value) => String(parseFloat(value.toPrecision(4))).replace("-", "\u2212");
const withUnit = (name) => (facts.units[name] ? `${name} (${facts.units[name]})` : name);

/** A colour of the ramp mixed with white, so that black bonds can be seen on it. */
function behind(hex) {
  const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return `rgb(${parts.map((part) => Math.round(0.45 * part + 0.55 * 255)).join(",")})`;
}

function paint() {
  const values = facts.values[menu.value];
  scale.hidden = !values;
  if (!values) return;
  const ramp = facts.ramp.light;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  cells.forEach((cell, row) => {
    if (facts.smiles[row] === null) return;
    cell.style.background = behind(ramp[Math.round(((values[row] - low) / (high - low || 1)) * (ramp.length - 1))]);
  });
  scale.querySelector("h2").textContent = withUnit(menu.value);
  scale.querySelector(".ramp").style.background = `linear-gradient(90deg, ${ramp.filter((_, k) => k % 12 === 0).map(behind).join(", ")})`;
  [low, high].forEach((value, end) => (scale.querySelectorAll("span")[end].textContent = numberText(value)));
}

function show(row) {
  const smiles = facts.smiles[row];
  cells.forEach((cell, other) => cell.classList.toggle("same", smiles !== null && facts.smiles[other] === smiles));
  const list = document.createElement("dl");
  for (const [name, values] of Object.entries(facts.values)) list.append(node("dt", withUnit(name)), node("dd", numberText(values[row])));
  const drawing = node("div", "", "drawing");
  const svg = cells[row].querySelector("svg");
  if (svg) drawing.append(svg.cloneNode(true));
  card.replaceChildren(...(svg ? [drawing] : []), smiles === null ? node("p", "This point decodes to no molecule.", "hint") : node("code", smiles), list);
}

function walk(event, row) {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -size, ArrowDown: size }[event.key];
  if (!step || !cells[row + step] || (Math.abs(step) === 1 && Math.floor(row / size) !== Math.floor((row + step) / size))) return;
  cells[row + step].focus();
  event.preventDefault();
}

cells.forEach((cell, row) => {
  cell.addEventListener("pointerenter", () => show(row));
  cell.addEventListener("focus", () => show(row));
  cell.addEventListener("keydown", (event) => walk(event, row));
});
for (const name of Object.keys(facts.values)) menu.append(Object.assign(node("option", withUnit(name)), { value: name }));
document.getElementById("choice").hidden = !menu.length;
if (facts.first) menu.value = facts.first;
menu.addEventListener("change", paint);
paint();
