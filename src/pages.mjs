/** Builds the pages: everything that a browser loads, in one folder a page. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const STYLES = ["node_modules/uplot/dist/uPlot.min.css", "src/dashboard/widgets/style.css"];

/** No script but the page's own files, and no other host. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  ...["connect-src", "worker-src", "manifest-src"].map((kind) => `${kind} 'self'`),
  ...["base-uri", "form-action"].map((kind) => `${kind} 'none'`),
].join("; ");

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
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css">
</head>
<body>
<div id="app"><p class="page">Loading…</p></div>
<script type="module" src="${name}.js"></script>
</body>
</html>
`;
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
