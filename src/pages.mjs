/** Builds the pages: everything that a browser loads, in one folder a page. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { htmlDocument, POLICY } from "./html.mjs";

const STYLES = ["node_modules/uplot/dist/uPlot.min.css", "src/dashboard/widgets/style.css"];

/** By page: its title, and its scripts by the names under which the page finds them; the first is the page's own. */
const PAGES = {
  playground: {
    title: "LiveQ playground",
    scripts: {
      playground: "src/playground/index.ts",
      trainer: "src/playground/control/train.ts",
      bits: "src/playground/bits/compare.ts",
      platform: "src/playground/platform/show.ts",
    },
    offline: "src/playground/page/offline.ts",
  },
  dashboard: {
    title: "LiveQ",
    scripts: { dashboard: "src/dashboard/board/main.ts" },
  },
};

/** The document of a page. */
function documentOf(name, title) {
  const head = '<link rel="icon" href="data:,">\n<link rel="stylesheet" href="style.css">';
  const body = `<div id="app"><p class="page">Loading…</p></div>\n<script type="module" src="${name}.js"></script>`;
  return htmlDocument({ title, policy: POLICY, head, body: `<body>\n${body}\n</body>` });
}

/** Writes all pages into folders of their names. @param plugins Those that the package itself is built with. */
export async function buildPages(folder, plugins) {
  rmSync(folder, { recursive: true, force: true });
  for (const [name, page] of Object.entries(PAGES)) await buildPage(join(folder, name), page, plugins);
}

async function buildPage(outdir, { title, scripts, offline }, plugins) {
  const shared = { bundle: true, format: "esm", target: "es2022", logLevel: "warning", minify: true };
  const jsx = { jsx: "automatic", jsxImportSource: "preact" };
  const entryPoints = Object.entries(scripts).map(([out, file]) => ({ in: file, out }));
  await build({
    ...shared,
    ...jsx,
    entryPoints,
    outdir,
    splitting: true,
    chunkNames: "part-[hash]",
    platform: "browser",
    plugins,
  });
  const css = STYLES.map((file) => `@import "./${file}";`).join("\n");
  await build({
    ...shared,
    stdin: { contents: css, resolveDir: ".", loader: "css" },
    outfile: join(outdir, "style.css"),
  });
  mkdirSync(outdir, { recursive: true });
  writeFileSync(join(outdir, "index.html"), documentOf(Object.keys(scripts)[0], title));
  if (offline === undefined) return;
  const files = readdirSync(outdir).sort();
  const digest = createHash("sha256");
  for (const file of files) digest.update(file).update(readFileSync(join(outdir, file)));
  const define = {
    FILES: JSON.stringify(["./", ...files.map((file) => `./${file}`)]),
    VERSION: JSON.stringify(digest.digest("hex").slice(0, 12)),
  };
  await build({ ...shared, format: "iife", entryPoints: [offline], outfile: join(outdir, "offline.js"), define });
}
