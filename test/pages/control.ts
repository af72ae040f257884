/** The view that trains: settings, pause, reload, files, and the same bits as the program that it shows. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Tab } from "./browser/tab.js";
import { inspect, type Pictures, require } from "./views.js";

const HASH = 'document.querySelector("[data-hash]")?.dataset.hash';
const CODE = 'document.querySelector("textarea").value';
const steps = 'Number(figure("Steps").split(" ")[0].replaceAll(",", ""))';

/** Settings come from the address and go into it; a wrong one is named, and nothing starts with it. */
export async function checkSettings(tab: Tab, url: string): Promise<string> {
  await tab.open(`${url}/#control?environment=Acrobot-v1&gamma=0.9&seed=5&dueling=true`);
  await tab.until(`byText("Start")`);
  const values = () => tab.evaluate<string[]>(`["Discount", "Seed", "Dueling"].map((name) => fieldOf(name).value)`);
  const code = () => tab.evaluate<string>(CODE);
  require((await values()).join() === "0.9,5,true", "settings of the address", await values());
  require((await code()).includes("gamma: 0.9,"), "the program has the discount", await code());
  await tab.evaluate(`put(fieldOf("Discount"), "1.5")`);
  await tab.until(
    `/"gamma" must be .*1\\.5/.test(document.querySelector(".error")?.textContent)`,
    "the fault is named",
  );
  const wrong = await tab.evaluate(
    `[byText("Start").disabled, byText("Step").disabled, fieldOf("Discount").ariaInvalid, ${CODE}]`,
  );
  require(JSON.stringify(wrong) === '[true,true,"true",""]', "what a wrong setting stops", wrong);
  await tab.evaluate(`put(fieldOf("Discount"), "0.95")`);
  await tab.until(`!byText("Start").disabled && location.hash.includes("gamma=0.95")`);
  require((await code()).includes("gamma: 0.95,"), "the program follows", await code());
  await tab.reload();
  await tab.until(`byText("Start")`);
  require((await values()).join() === "0.95,5,true", "settings after a reload", await values());
  return "settings kept, wrong ones named";
}

/** CartPole: paused, kept, reloaded, saved, opened and gone on with, it ends with the bits of one that never stopped. */
export async function checkTraining(tab: Tab, url: string, pictures: Pictures): Promise<string> {
  await tab.open(`${url}/#control`);
  await tab.until(`byText("Start")`);
  await tab.evaluate(`put(fieldOf("Speed"), "ten times")`);
  await tab.click("Start");
  await tab.until(`${steps} >= 100`);
  await tab.click("Pause");
  await tab.until(HASH, "a paused training is kept");
  const paused = await tab.evaluate<[number, string]>(`[${steps}, ${HASH}]`);
  await tab.evaluate("sleep(400)");
  const hash = await made(tab);
  const later = [await tab.evaluate<number>(steps), hash];
  require(JSON.stringify(later) === JSON.stringify(paused), "a paused training goes on", { paused, later });

  await tab.reload();
  await tab.click("Go on with the kept training");
  require((await made(tab)) === hash, "the kept training is another", hash);
  await checkFiles(tab, hash);

  await tab.evaluate(`put(fieldOf("Speed"), "full")`);
  await tab.click("Go on");
  await tab.until(`figure("State") === "learned"`);
  const judged = await tab.evaluate<number>(`Number(figure("Judged, greedy"))`);
  require(judged >= 475, "judged", judged);
  await tab.click("Make files");
  await tab.until(`${HASH} !== ${JSON.stringify(hash)}`, "files of the trained agent");
  const text = await tab.evaluate<string>(`document.querySelector("[data-hash]").textContent`);
  const printed = await printedBy(await tab.evaluate<string>(CODE));
  const weights = /weights (\w{64})/.exec(text)?.[1];
  require(weights !== undefined && printed.includes(`weights ${weights}`), "Node has other weights", { text, printed });
  await inspect(tab, "control", pictures);
  return `paused at ${paused[0]}, reloaded, ${judged} after ${await tab.evaluate(steps)} steps with Node's bits`;
}

/** The hash of all that persists of the agent as it is now. */
async function made(tab: Tab): Promise<string> {
  await tab.click("Make files");
  await tab.until(`byText("Training, ")`);
  return tab.evaluate<string>(HASH);
}

/** A training goes into a file and comes back; another file is refused. */
async function checkFiles(tab: Tab, hash: string): Promise<void> {
  await tab.click("Training, ");
  const file = join(tab.downloads, "cartpole-v1.liveq-training");
  for (let i = 0; !isWritten(tab.downloads, file); i++) {
    require(i < 1000, "no file was saved", readdirSync(tab.downloads));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await tab.click("Reset");
  await tab.until(`!${HASH}`, "a reset forgets the agent");
  await tab.reload();
  await tab.until(`byText("Start")`);
  require(!(await tab.evaluate(`byText("Go on with")`)), "a reset training is kept", hash);
  const other = join(tab.downloads, "other.liveq-training");
  writeFileSync(other, '{"environment":"Acrobot-v1"}\n');
  await tab.choose('input[type="file"]', other);
  await tab.until(`/other.liveq-training is not a training/.test(document.querySelector("[role=alert]")?.textContent)`);
  await tab.choose('input[type="file"]', file);
  await tab.until(`figure("State") === "paused"`, "the file is opened");
  require((await made(tab)) === hash, "the file holds another training", hash);
}

const isWritten = (folder: string, file: string) => {
  return existsSync(file) && !readdirSync(folder).some((name) => /\.(part|crdownload)$/.test(name));
};

const printed = new Map<string, Promise<string>>();

/** What a program of the page prints in Node; each runs once. */
function printedBy(code: string): Promise<string> {
  const before = printed.get(code);
  if (before !== undefined) return before;
  mkdirSync(".build", { recursive: true });
  // Beside the package, so that it finds it by its name.
  const file = `.build/pages-${printed.size}.mjs`;
  writeFileSync(file, code);
  const run = promisify(execFile)(process.execPath, [file]).then(({ stdout }) => stdout);
  printed.set(code, run);
  return run;
}
