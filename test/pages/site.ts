/** The static site as a reader has it: colours, search, nothing for axe to find. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type PlatformSite, platformSite } from "../client/browsers/site.js";
import type { Tab } from "./browser/tab.js";
import { checkColours } from "./keyboard.js";
import { inspect, type Pictures, requireOwnHost } from "./views.js";

const FOLDER = ".build/pages-site";
const VIEWS = [
  "index.html",
  "search.html?q=playground",
  "measured.html",
  "guides/dashboard.html",
  "reference/liveq.html",
];

/** Builds the site and serves it. */
export async function servedSite(): Promise<PlatformSite> {
  await promisify(execFile)(process.execPath, ["src/site.mjs", FOLDER]);
  return platformSite(FOLDER);
}

/** All that the site does. */
export async function checkSite(tab: Tab, url: string, pictures: Pictures): Promise<string> {
  await checkColours(tab, `${url}/guides/dashboard.html`, [`${url}/index.html`, `${url}/playground/index.html`]);
  for (const view of VIEWS) {
    await tab.open(`${url}/${view}`);
    await inspect(tab, view.replace(/\.html.*/, "").replace("/", "-"), { ...pictures, room: "site" });
  }
  await tab.open(`${url}/search.html?q=safetensors`);
  await tab.until(`document.querySelectorAll("#chapters a").length > 3`, "chapters that are found");
  await requireOwnHost(tab, url);
  return `${VIEWS.length} views, colours by the keyboard and kept, search`;
}
