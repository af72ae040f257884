/** The command: the playground and the dashboard in real browsers, from end to end. */
import { Command, Option } from "commander";
import { Served } from "../client/browsers/served.js";
import { type Runtime, runtime } from "../runtimes/install.js";
import { report } from "../runtimes/report.js";
import { checkBits, checkOffline, keepOffline } from "./bits.js";
import { checkSettings, checkTraining } from "./control.js";
import { checkDashboard, DashboardHost } from "./dashboard.js";
import { checkPlatform } from "./platform.js";
import { measure } from "./speed.js";
import { Tab } from "./tab.js";
import { type Pictures, require, widen } from "./views.js";

const BROWSERS = ["chromium", "firefox"] as const;
const PAGES = ["playground", "dashboard"] as const;

interface Options {
  readonly only?: string[];
  readonly page?: string[];
  readonly available?: true;
  readonly measure?: true;
  readonly pictures?: string;
  readonly update?: true;
}

const program = new Command("test:pages")
  .description(
    "Opens the playground in Chromium and Firefox: it learns CartPole, pauses, reloads and goes on to the bits of Node; " +
      "it learns a reader's taste; it works without its server. And the dashboard of a server with 100,000 viewers and 10,000 " +
      "streams: a token, live figures, a rollback to the last bit, reasons, a test, no long task. Consoles are silent, and " +
      "axe finds nothing. Browsers that are not there are installed by apt as root. Ends with 1 where something fails or is " +
      "missing. It needs the build.",
  )
  .addOption(new Option("--only <name...>", "only these").choices([...BROWSERS]))
  .addOption(new Option("--page <name...>", "only these pages").choices([...PAGES]))
  .option("--available", "missing browsers are named, but do not fail")
  .option("--measure", "the speed of the worker beside Node's and the longest task of the page, and nothing else")
  .option("--pictures <folder>", "writes a picture of each view, in both themes, wide and as on a phone")
  .option("--update", "makes the committed pictures anew, in Chromium")
  .parse();
const options = program.opts<Options>();

/** A tab in a browser while something is done in it. @throws Error for what the console said. */
async function inTab(browser: Runtime, use: (tab: Tab) => Promise<string>): Promise<string> {
  const tab = await Tab.in(browser);
  try {
    await widen(tab);
    const told = await use(tab);
    require(tab.errors.length === 0, "the console", tab.errors);
    return told;
  } finally {
    await tab.close();
  }
}

/** @throws Error for the first thing that is wrong. */
async function checkPlayground(browser: Runtime, pictures: Pictures, isMeasured: boolean): Promise<string> {
  const address = /playground is at (\S+);/;
  const server = new Served([process.execPath, "dist/cli/liveq.js"], [], ".", { verb: "playground", address });
  try {
    const { url } = await server.start();
    return await inTab(browser, async (tab) => {
      if (isMeasured) return measure(tab, url);
      const told = [await checkSettings(tab, url), await checkTraining(tab, url, pictures)];
      told.push(await checkBits(tab, url, pictures), await checkPlatform(tab, url, pictures));
      await keepOffline(tab, url);
      require(tab.errors.length === 0, "the console", tab.errors);
      await server.stop();
      told.push(await checkOffline(tab));
      // What is not there cannot be asked for.
      tab.errors.splice(0);
      return told.join("; ");
    });
  } finally {
    await server.stop();
  }
}

const { only, page: pages = PAGES, available, measure: isMeasured = false, pictures: folder, update } = options;
const pictures: Pictures = { folder, isUpdate: update === true };
const host = pages.includes("dashboard") && !isMeasured ? await DashboardHost.start() : undefined;
for (const name of BROWSERS) {
  if (only && !only.includes(name)) continue;
  const found = runtime(name);
  if ("missing" in found) {
    report(name, "missing", undefined, found.missing);
    if (!available) process.exitCode = 1;
    continue;
  }
  for (const page of PAGES) {
    if (!pages.includes(page) || (page === "dashboard" && host === undefined)) continue;
    const start = performance.now();
    const check =
      page === "playground"
        ? () => checkPlayground(found, pictures, isMeasured)
        : () => inTab(found, (tab) => checkDashboard(tab, host!, pictures));
    try {
      const text = await check();
      report(`${name}, ${page}`, found.version, performance.now() - start, text);
    } catch (error) {
      report(`${name}, ${page}`, found.version, performance.now() - start, `FAILED: ${(error as Error).message}`);
      process.exitCode = 1;
    }
  }
}
host?.stop();
process.exit();
