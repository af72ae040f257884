import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { Runtime } from "../runtimes/install.js";

/** Runs in the page: what axe finds goes into an element. */
const PROBE = `axe.run().then(({ violations, passes }) => {
  const found = document.createElement("pre");
  found.id = "axe";
  found.textContent = encodeURIComponent(JSON.stringify({
    passes: passes.length,
    violations: violations.map(({ id, nodes }) => id + ": " + nodes.slice(0, 3).map(({ html }) => html).join(" ")),
  }));
  document.body.append(found);
});`;

/** What axe-core finds in a page of a site, in a browser whose window is so wide. */
export function axe(
  browser: Runtime,
  site: string,
  page: string,
  width: number,
): { passes: number; violations: string[] } {
  copyFileSync("node_modules/axe-core/axe.min.js", join(site, "axe.js"));
  writeFileSync(join(site, "probe.js"), PROBE);
  // The page's own policy lets no script run: this one tests a copy without it.
  const script = (name: string) => `<script defer src="${relative(dirname(page), name)}"></script>`;
  const copy = join(site, dirname(page), "axe.html");
  const html = readFileSync(join(site, page), "utf8").replace(
    /<meta http-equiv[^>]*>/,
    script("axe.js") + script("probe.js"),
  );
  writeFileSync(copy, html);
  const [program, ...first] = browser.command;
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom"];
  const words = [...first, ...flags, `--window-size=${width},900`, pathToFileURL(copy).href];
  const { stdout } = spawnSync(program!, words, { encoding: "utf8", env: { ...process.env, ...browser.env } });
  const [, found] = /<pre id="axe">([^<]*)</.exec(stdout) ?? [];
  if (found === undefined) throw new Error(`axe did not answer for ${page}`);
  return JSON.parse(decodeURIComponent(found));
}
