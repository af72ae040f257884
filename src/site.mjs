/**
 * Makes the static site: `node src/site.mjs [FOLDER]`, by default in .build/site. Guides are the READMEs, the reference
 * is what typedoc reads in the sources, and the playground is that of `node src/build.mjs pages`. The same sources give the
 * same bytes. A dead link fails the build.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { withCharts } from "./site/charts.mjs";
import { deadLinks, filesIn } from "./site/links.mjs";
import { render } from "./site/markdown.mjs";
import { documents, sourceDocument } from "./site/plan.mjs";
import { referenceDocuments } from "./site/reference.mjs";
import { searchOf } from "./site/search.mjs";
import { page, THEME } from "./site/template.mjs";

const PLAYGROUND = "dist/pages/playground";

/** Files that pages show as they are. */
const PICTURES = /\.(png|svg|webp|jpg)$/;

/** Pages of all documents and of the sources that they link to, and pictures that they show, by their places. */
function pagesOf(all) {
  const places = new Map(all.map(({ source, place }) => [source, place]));
  const pages = new Map();
  // Rendering finds sources that are linked: they go to the end.
  const linked = [];
  const placeOf = (file) => {
    const known = places.get(file);
    if (known !== undefined || !existsSync(file)) return known;
    if (PICTURES.test(file)) {
      const place = `pictures/${file}`;
      places.set(file, place);
      pages.set(place, readFileSync(file));
      return place;
    }
    const document = sourceDocument(file);
    places.set(file, document.place);
    linked.push(document);
    return document.place;
  };
  const queue = [...all];
  for (let document = queue.shift(); document; document = queue.shift() ?? linked.shift()) {
    const text = document.isMeasured ? withCharts(document.text) : document.text;
    pages.set(document.place, page(document, render(text, document, placeOf), all));
  }
  return pages;
}

async function writeStyle(folder) {
  const css = ["./src/dashboard/widgets/style.css", "./src/site/style.css"]
    .map((file) => `@import "${file}";`)
    .join("\n");
  const stdin = { contents: css, resolveDir: ".", loader: "css" };
  await build({ stdin, bundle: true, minify: true, outfile: join(folder, "style.css"), logLevel: "warning" });
}

/** Where a reader chooses colours: as in the playground, and kept for both. */
async function writeTheme(folder) {
  const own = { bundle: true, format: "iife", target: "es2022", minify: true, logLevel: "warning" };
  await build({ ...own, entryPoints: ["src/site/theme.mjs"], outfile: join(folder, THEME) });
}

async function buildSite(folder) {
  if (!existsSync(PLAYGROUND)) throw new Error(`${PLAYGROUND} is missing: "node src/build.mjs wasm pages" makes it`);
  rmSync(folder, { recursive: true, force: true });
  const all = [...documents(), ...(await referenceDocuments())];
  const pages = pagesOf(all);
  const read = all.map(({ place, title }) => ({ place, title, html: pages.get(place) }));
  for (const [place, html] of [...pages, ...searchOf(read, all)]) {
    mkdirSync(dirname(join(folder, place)), { recursive: true });
    writeFileSync(join(folder, place), html);
  }
  cpSync(PLAYGROUND, join(folder, "playground"), { recursive: true });
  await writeStyle(folder);
  await writeTheme(folder);
}

const folder = process.argv[2] ?? ".build/site";
await buildSite(folder);
const dead = deadLinks(folder);
for (const line of dead) console.error(line);
if (dead.length > 0) process.exitCode = 1;
const files = filesIn(folder);
const bytes = files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
const count = files.filter((file) => file.endsWith(".html")).length;
console.log(
  `${folder}: ${count} pages, ${files.length} files, ${Math.round(bytes / 1024)} KiB, ${dead.length} dead links`,
);
