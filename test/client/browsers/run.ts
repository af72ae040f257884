/** The command: pages in real browsers against a real server, and how long a newcomer needs to the first own slate. */
import { Command, Option } from "commander";
import { type Runtime, type RuntimeName, runtime } from "../../runtimes/install.js";
import { report } from "../../runtimes/report.js";
import { checkBrowser } from "./browsers.js";
import { checkNewcomer } from "./newcomer.js";

const CHECKS: Record<string, { runtime: RuntimeName; check: (browser: Runtime) => Promise<string> }> = {
  chromium: { runtime: "chromium", check: checkBrowser },
  firefox: { runtime: "firefox", check: checkBrowser },
  newcomer: { runtime: "chromium", check: checkNewcomer },
};

const program = new Command("test:client")
  .description(
    "Opens a page that is tracked in Chromium and Firefox, against a server of another origin, and reads in the server's " +
      "log what came of it; the last tab is killed. Then packs the package, and takes the time from an empty folder to a " +
      "slate that was learned, in a page. Browsers that are not there are installed by apt as root. Ends with 1 where " +
      "something fails or is missing. It needs the build.",
  )
  .addOption(new Option("--only <name...>", "only these").choices(Object.keys(CHECKS)))
  .option("--available", "missing browsers are named, but do not fail")
  .parse();
const { only, available } = program.opts<{ only?: string[]; available?: true }>();

for (const [name, { runtime: browser, check }] of Object.entries(CHECKS)) {
  if (only && !only.includes(name)) continue;
  const found = runtime(browser);
  if ("missing" in found) {
    report(name, "missing", undefined, found.missing);
    if (!available) process.exitCode = 1;
    continue;
  }
  const start = performance.now();
  try {
    const text = await check(found);
    report(name, found.version, performance.now() - start, text);
  } catch (error) {
    report(name, found.version, performance.now() - start, `FAILED: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
