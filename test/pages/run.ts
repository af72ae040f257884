/** The command: the playground, the dashboard and the site in real browsers, from end to end. */
import { Command, Option } from "commander";
import { Served } from "../client/browsers/served.js";
import { type Runtime, runtime } from "../runtimes/install.js";
import { report } from "../runtimes/report.js";
import { checkBits, checkOffline, keepOffline } from "./bits.js";
import { Tab } from "./browser/tab.js";
import { checkLearning, checkLoading } from "./budgets.js";
import { checkSettings, checkTraining } from "./control.js";
import { checkDashboard, DashboardHost } from "./dashboard.js";
import { checkColours, checkKeyboard } from "./keyboard.js";
import { checkPlatform } from "./platform.js";
import { checkSite, servedSite } from "./site.js";
import { type Pictures, require, widen } from "./views.js";

const BROWSERS = ["chromium", "firefox", "webkit"] as const;

interface Options {
  readonly only?: string[];
  readonly page?: string[];
  readonly available?: true;
  readonly measure?: true;
  readonly pictures?: string;
  readonly update?: true;
}

/** A page that is served: how it is checked in a browser, and how its server ends. */
interface Mounted {
  check(browser: Runtime, pictures: Pictures): Promise<string>;
  stop(): void;
}

const PAGES: Readonly<Record<string, () => Promise<Mounted>>> = {
  async playground() {
    return { check: checkPlayground, stop() {} };
  },
  async dashboard() {
    const host = await DashboardHost.start();
    const check: Mounted["check"] = (browser, pictures) => inTab(browser, (tab) => checkDashboard(tab, host, pictures));
    return { check, stop: () => host.stop() };
  },
  async site() {
    const site = await servedSite();
    const check: Mounted["check"] = (browser, pictures) =>
      inTab(browser, async (tab) => checkSite(tab, await tab.behind(site.origin), pictures));
    return { check, stop: () => site.close() };
  },
};

const program = new Command("test:pages")
  .description(
    "Opens the playground in Chromium, Firefox and WebKitGTK: it is small and soon ready; it learns CartPole, pauses, reloads " +
      "and goes on to the bits of Node; it learns a reader's taste; its worker is as fast as Node, and it works without its " +
      "server. The dashboard of a server with 100,000 viewers and 10,000 streams: a token, live figures, a rollback to the " +
      "last bit, reasons, a test, no long task. The static site: colours, search. Consoles are silent, axe finds nothing, and " +
      "they look as pictured. Browsers that are not there are installed by apt as root. Ends with 1 where something fails or " +
      "is missing. It needs the build.",
  )
  .addOption(new Option("--only <name...>", "only these").choices([...BROWSERS]))
  .addOption(new Option("--page <name...>", "only these pages").choices(Object.keys(PAGES)))
  .option("--available", "missing browsers are named, but do not fail")
  .option("--measure", "what the playground costs and how fast its worker is beside Node, and nothing else")
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
async function checkPlayground(browser: Runtime, pictures: Pictures): Promise<string> {
  const address = /playground is at (\S+);/;
  const server = new Served([process.execPath, "dist/cli/liveq.js"], [], ".", { verb: "playground", address });
  try {
    await server.start();
    return await inTab(browser, async (tab) => {
      const url = await tab.behind(server.url);
      const told = [await checkLoading(tab, url), await checkLearning(tab, url)];
      if (options.measure) return told.join("; ");
      told.push(await checkKeyboard(tab, url));
      await checkColours(tab, `${url}/#bits`, [`${url}/#control`]);
      told.push(await checkSettings(tab, url), await checkTraining(tab, url, pictures));
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

/** The browsers that are there, and what is missing of the others. */
function browsers(): Runtime[] {
  return BROWSERS.filter((name) => options.only?.includes(name) ?? true).flatMap((name) => {
    const found = runtime(name);
    if (!("missing" in found)) return [found];
    report(name, "missing", undefined, found.missing);
    if (!options.available) process.exitCode = 1;
    return [];
  });
}

const pictures: Pictures = { folder: options.pictures, isUpdate: options.update === true };
const found = browsers();
for (const page of options.measure ? ["playground"] : (options.page ?? Object.keys(PAGES))) {
  const { check, stop } = await PAGES[page]!();
  for (const browser of found) {
    const start = performance.now();
    let text: string;
    try {
      text = await check(browser, pictures);
    } catch (error) {
      text = `FAILED: ${(error as Error).message}`;
      process.exitCode = 1;
    }
    report(`${page}, ${browser.name}`, browser.version, performance.now() - start, text);
  }
  stop();
}
process.exit();
