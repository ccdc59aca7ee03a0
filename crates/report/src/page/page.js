"use strict";
// Tables are sorted by the buttons in their heads: numbers by value, what has none last.
const compare = (a, b, sign) => {
  if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
  const numbers = [Number(a), Number(b)];
  const order = numbers.some(Number.isNaN) ? a.localeCompare(b, undefined, { numeric: true }) : numbers[0] - numbers[1];
  return sign * order;
};
for (const head of document.querySelectorAll("table.sortable th[aria-sort]")) {
  head.firstElementChild.addEventListener("click", () => {
    const body = head.closest("table").tBodies[0];
    const ascending = head.getAttribute("aria-sort") !== "ascending";
    for (const other of head.parentElement.cells) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const key = (row) => row.cells[head.cellIndex].dataset.key;
    const rows = [...body.rows].sort((a, b) => compare(key(a), key(b), ascending ? 1 : -1));
    body.append(...rows);
  });
}
const heat = document.getElementById("heat");
const viewer = document.getElementById("viewer");
if (heat) heat.addEventListener("input", () => document.documentElement.style.setProperty("--heat", heat.value / 100));
if (viewer) {
  const part = (name) => document.getElementById("viewer-" + name);
  const buttons = [...document.querySelectorAll("button.open")];
  let shown = 0;
  const show = (index) => {
    shown = (index + buttons.length) % buttons.length;
    const layers = buttons[shown].firstElementChild.cloneNode(true);
    const picture = layers.querySelector(".picture");
    const ratio = picture.getAttribute("width") / picture.getAttribute("height");
    layers.style.width = `min(100%, ${68 * ratio}vh)`;
    part("stage").replaceChildren(layers);
    const about = buttons[shown].nextElementSibling;
    part("name").textContent = about.firstElementChild.textContent;
    part("about").textContent = [...about.children].slice(1).map((line) => line.textContent).join(" · ");
  };
  buttons.forEach((button, index) => button.addEventListener("click", () => {
    show(index);
    viewer.style.setProperty("--heat", part("heat").value / 100);
    viewer.showModal();
  }));
  part("close").addEventListener("click", () => viewer.close());
  viewer.addEventListener("close", () => buttons[shown].focus());
  part("before").addEventListener("click", () => show(shown - 1));
  part("after").addEventListener("click", () => show(shown + 1));
  part("heat").addEventListener("input", () => viewer.style.setProperty("--heat", part("heat").value / 100));
  part("lines").addEventListener("change", () => viewer.classList.toggle("bare", !part("lines").checked));
  viewer.addEventListener("keydown", (event) => {
    if (event.target.matches("input[type=range]")) return;
    if (event.key === "ArrowLeft") show(shown - 1);
    if (event.key === "ArrowRight") show(shown + 1);
  });
}
