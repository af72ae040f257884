/** The command: the playground in real browsers, from end to end. */
import { Command, Option } from "commander";
import { Served } from "../client/browsers/served.js";
import { type Runtime, runtime } from "../runtimes/install.js";
import { report } from "../runtimes/report.js";
import { checkBits, checkOffline, keepOffline } from "./bits.js";
import { checkSettings, checkTraining } from "./control.js";
import { checkPlatform } from "./platform.js";
import { measure } from "./speed.js";
import { Tab } from "./tab.js";
import { require, widen } from "./views.js";

const BROWSERS = ["chromium", "firefox"] as const;

interface Options {
  readonly only?: string[];
  readonly available?: true;
  readonly measure?: true;
  readonly pictures?: string;
  readonly update?: true;
}

const program = new Command("test:pages")
  .description(
    "Opens the playground in Chromium and Firefox: it learns CartPole, pauses, reloads and goes on to the bits of Node; " +
      "it learns a reader's taste; its console is silent; axe finds nothing; it works without its server. Browsers that are " +
      "not there are installed by apt as root. Ends with 1 where something fails or is missing. It needs the build.",
  )
  .addOption(new Option("--only <name...>", "only these").choices([...BROWSERS]))
  .option("--available", "missing browsers are named, but do not fail")
  .option("--measure", "the speed of the worker beside Node's and the longest task of the page, and nothing else")
  .option("--pictures <folder>", "writes a picture of each view, in both themes, wide and as on a phone")
  .option("--update", "makes the committed pictures anew, in Chromium")
  .parse();
const options = program.opts<Options>();

/** @throws Error for the first thing that is wrong. */
async function check(browser: Runtime, { measure: isMeasured, pictures: folder, update }: Options): Promise<string> {
  const pictures = { folder, isUpdate: update === true };
  const address = /playground is at (\S+);/;
  const server = new Served([process.execPath, "dist/cli/liveq.js"], [], ".", { verb: "playground", address });
  let tab: Tab | undefined;
  try {
    const { url } = await server.start();
    tab = await Tab.in(browser);
    await widen(tab);
    if (isMeasured) return await measure(tab, url);
    const told = [await checkSettings(tab, url), await checkTraining(tab, url, pictures)];
    told.push(await checkBits(tab, url, pictures), await checkPlatform(tab, url, pictures));
    await keepOffline(tab, url);
    require(tab.errors.length === 0, "the console", tab.errors);
    await server.stop();
    told.push(await checkOffline(tab));
    return told.join("; ");
  } finally {
    await tab?.close();
    await server.stop();
  }
}

for (const name of BROWSERS) {
  if (options.only && !options.only.includes(name)) continue;
  const found = runtime(name);
  if ("missing" in found) {
    report(name, "missing", undefined, found.missing);
    if (!options.available) process.exitCode = 1;
    continue;
  }
  const start = performance.now();
  try {
    const text = await check(found, options);
    report(name, found.version, performance.now() - start, text);
  } catch (error) {
    report(name, found.version, performance.now() - start, `FAILED: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
process.exit();
