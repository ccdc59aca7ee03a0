// Opens pages in Chromium as a reader would, and fails where one of them is broken or cannot be used by everyone.
// Usage: node check.js PAGE.html...   ($CHROMIUM names the browser, $SHOTS a folder for pictures)
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const views = [
  { name: "light", width: 1200, scheme: "light" },
  { name: "dark", width: 1200, scheme: "dark" },
  { name: "phone", width: 400, scheme: "light" },
  // A4 without its margins, at 96 pixels an inch.
  { name: "print", width: 688, media: "print" },
];
const problems = [];

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  // Test machines have no sandbox for root.
  args: ["--no-sandbox", "--disable-gpu"],
});
for (const file of process.argv.slice(2)) await checkFile(file);
await browser.close();
for (const problem of problems) console.error(problem);
console.log(`${process.argv.length - 2} pages, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);

async function checkFile(file) {
  const address = pathToFileURL(path.resolve(file)).href;
  const tab = await browser.newPage();
  const report = (view) => (problem) => problems.push(`${file} (${view}): ${problem}`);
  let complain = report("load");
  tab.on("console", (message) => ["error", "warn"].includes(message.type()) && complain(`console: ${message.text()}`));
  tab.on("pageerror", (error) => complain(`script: ${error.message}`));
  tab.on("request", (request) => {
    if (request.url() !== address && !request.url().startsWith("data:")) complain(`request: ${request.url()}`);
  });
  for (const view of views) {
    complain = report(view.name);
    await tab.setViewport({ width: view.width, height: 900 });
    // Each takes the other back.
    if (view.media === undefined) await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: view.scheme }]);
    else await tab.emulateMediaType(view.media);
    await tab.goto(address, { waitUntil: "load" });
    await picturesLoad(tab, complain);
    await fitsItsWindow(tab, complain);
    await shoot(tab, file, view.name);
    await isAccessible(tab, complain);
  }
  complain = report("use");
  await tab.emulateMediaType("screen");
  await tab.setViewport({ width: 1200, height: 900 });
  await tab.goto(address, { waitUntil: "load" });
  await tablesSort(tab, complain);
  await viewerWorks(tab, complain);
  await tab.close();
}

async function picturesLoad(tab, complain) {
  const broken = await tab.evaluate(async () => {
    const pictures = [...document.images];
    const decoded = await Promise.allSettled(pictures.map((picture) => picture.decode()));
    return pictures.filter((picture, at) => decoded[at].status === "rejected" || picture.naturalWidth === 0).map((picture) => picture.alt);
  });
  if (broken.length > 0) complain(`${broken.length} pictures do not load: ${broken.slice(0, 3)}`);
}

async function fitsItsWindow(tab, complain) {
  const [width, window] = await tab.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  if (width > window) complain(`the page is ${width} pixels wide in a window of ${window}`);
}

async function isAccessible(tab, complain) {
  await tab.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, help, nodes } of violations) complain(`axe ${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160))}`);
}

// By mouse upwards, by keyboard downwards.
async function tablesSort(tab, complain) {
  for (const table of await tab.$$("table.sortable")) {
    await table.evaluate((table) => table.closest("details")?.setAttribute("open", ""));
    for (const head of await table.$$("thead th")) {
      const button = await head.$("button");
      await button.click();
      await isSorted(table, head, "ascending", complain);
      await button.focus();
      await tab.keyboard.press("Enter");
      await isSorted(table, head, "descending", complain);
    }
  }
}

async function isSorted(table, head, order, complain) {
  const state = await head.evaluate((head) => head.getAttribute("aria-sort"));
  const [name, keys] = await table.evaluate(
    (table, head) => [head.textContent, [...table.tBodies[0].rows].map((row) => row.cells[head.cellIndex].dataset.key ?? null)],
    head,
  );
  const known = keys.filter((key) => key !== null);
  const numeric = known.every((key) => key !== "" && !Number.isNaN(Number(key)));
  const inOrder = (a, b) => (numeric ? Number(a) <= Number(b) : a.localeCompare(b, undefined, { numeric: true }) <= 0);
  const forward = order === "ascending" ? known : [...known].reverse();
  const sorted = forward.every((key, at) => at === 0 || inOrder(forward[at - 1], key));
  const lastAreUnknown = keys.slice(known.length).every((key) => key === null);
  if (state !== order || !sorted || !lastAreUnknown) complain(`column ${name} is not sorted ${order}: ${keys.slice(0, 8)}`);
}

async function viewerWorks(tab, complain) {
  const button = await tab.$("button.open");
  if (button === null) return;
  await button.focus();
  await tab.keyboard.press("Enter");
  const state = () =>
    tab.evaluate(() => {
      const viewer = document.getElementById("viewer");
      const heat = viewer.querySelector(".heat");
      return {
        open: viewer.open,
        name: document.getElementById("viewer-name").textContent,
        heat: heat && Number(getComputedStyle(heat).opacity),
        wide: viewer.querySelector(".layers")?.getBoundingClientRect().width,
      };
    });
  const opened = await state();
  if (!opened.open || opened.name === "" || !(opened.wide > 100)) complain(`a picture is not enlarged: ${JSON.stringify(opened)}`);
  if (opened.heat !== null) {
    await tab.focus("#viewer-heat");
    await tab.keyboard.press("Home");
    const clear = await state();
    if (clear.heat !== 0) complain(`heat is not blended out: ${clear.heat}`);
  }
  await shoot(tab, "viewer", "open");
  await isAccessible(tab, complain);
  await tab.focus("#viewer-after");
  await tab.keyboard.press("Enter");
  const pictures = (await tab.$$("button.open")).length;
  const next = await state();
  if (pictures > 1 && next.wide === undefined) complain("there is no next picture");
  await tab.keyboard.press("Escape");
  if ((await state()).open) complain("the picture does not close");
}

async function shoot(tab, file, view) {
  if (process.env.SHOTS === undefined) return;
  await tab.screenshot({ path: path.join(process.env.SHOTS, `${path.parse(file).name}-${view}.png`), fullPage: view !== "open" });
}
