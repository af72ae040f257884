/** What the playground may cost: what its first view loads, how soon it can be used, and what learning takes of the page. */
import { get } from "node:http";
import { DQN } from "../../src/engine/index.js";
import { Scene } from "../../src/playground/control/scenes.js";
import { optionsOf, RECIPES, settingsOf } from "../../src/playground/control/settings.js";
import { train } from "../../src/training/index.js";
import { FRONT_PATH } from "./browser/front.js";
import type { Tab } from "./browser/tab.js";
import { require, requireOwnHost } from "./views.js";

/** Bytes of brotli of all that the first view and its worker load. */
const LOADED = 120 * 1024;
/** Milliseconds until it can be used, and that a task of the page may take while it learns. */
const [READY_MS, TASK_MS] = [1000, 50];
/** The worker's steps a second by Node's. */
const SPEED = 0.9;
/** Speeds depend on who else wants the cores: one try of so many must hold. */
const TRIES = 5;

const NAME = "MountainCar-v0";
/** So little that it is never solved: then the training would end. */
const LEARNING_RATE = "0.0000001";
const [FROM, TO] = [5000, 40_000];

/** All that is loaded comes from its own host, is small, and can soon be used. It forgets what the browser kept. */
export async function checkLoading(tab: Tab, url: string): Promise<string> {
  let readyMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TRIES && !(readyMs <= READY_MS); i++) {
    await tab.open(`${url}/`);
    await tab.until(`byText("Start")`, "the first view");
    readyMs = await tab.evaluate<number>("readyMs");
    if (readyMs <= READY_MS) break;
    await tab.evaluate(
      `navigator.serviceWorker.getRegistrations().then((all) => Promise.all(all.map((one) => one.unregister())))`,
    );
  }
  require(readyMs <= READY_MS, "milliseconds until it can be used", readyMs);
  await tab.click("Start");
  await tab.until(`figure("State") === "learning"`);
  await requireOwnHost(tab, url);
  const loaded = await tab.evaluate<string[]>(
    `["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind)).map(({ name }) => name)`,
  );
  const files = await closed(loaded.filter((name) => !name.endsWith(FRONT_PATH)));
  const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  require(bytes <= LOADED, "bytes of brotli of the first view", Object.fromEntries(files));
  return `${files.size} files of ${(bytes / 1024).toFixed(1)} KiB, ready in ${readyMs.toFixed(0)} ms`;
}

/** Files as the server sends them, with those that scripts among them import: what a worker loads, the page does not tell. */
async function closed(urls: readonly string[]): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const waiting = urls.map((one) => one.split("#")[0]!).filter((one) => !one.startsWith("data:"));
  for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
    if (files.has(url)) continue;
    files.set(url, await sent(url));
    const code = url.endsWith(".js") ? await (await fetch(url)).text() : "";
    for (const [, name] of code.matchAll(/(?:from|import)"(\.\/[\w.-]+)"/g)) waiting.push(new URL(name!, url).href);
  }
  return files;
}

function sent(url: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers: { "accept-encoding": "br" } }, async (response) => {
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part);
      resolve(Buffer.concat(parts));
    });
    request.on("error", reject);
  });
}

/** Seconds that Node needs for the steps that the page was seen to make. */
async function secondsInNode(from: number, to: number): Promise<number> {
  const settings = settingsOf(NAME, { learningRate: LEARNING_RATE });
  const scene = new Scene(NAME);
  const sizes = { observation: scene.observationSize, actions: scene.actions };
  const agent = new DQN(optionsOf(NAME, settings, sizes));
  const { steps, solved, evaluation } = RECIPES[NAME];
  const judged = { ...evaluation, environment: new Scene(NAME), seed: 1_000_000, stopAt: solved };
  let begun = 0;
  for await (const { step } of train(agent, scene, { steps, seed: 0, progressEvery: 20, evaluation: judged })) {
    if (step <= from) begun = performance.now();
    if (step >= to) break;
  }
  const seconds = (performance.now() - begun) / 1000;
  agent.dispose();
  return seconds;
}

/** Learning at full speed. */
interface Learned {
  /** Steps a second, in the worker and in Node. */
  page: number;
  node: number;
  /** Milliseconds of the page's longest task; undefined where the browser does not tell it. */
  longest: number | undefined;
}

async function learned(tab: Tab, url: string): Promise<Learned> {
  await tab.open(`${url}/#control?environment=${NAME}&learningRate=${LEARNING_RATE}`);
  await tab.until(`byText("Start")`);
  await tab.evaluate("sleep(1000)");
  const step = `Number(figure("Steps").split(" ")[0].replaceAll(",", ""))`;
  let seen = { from: 0, to: 0, seconds: 0 };
  const tasks = await tab.tasks(async () => {
    await tab.click("Start");
    await tab.until(`${step} > 0`, "it learns");
    seen = await tab.evaluate<typeof seen>(`(async () => {
    const at = async (least) => {
      for (;;) {
        const now = ${step};
        if (now >= least) return [now, performance.now()];
        await sleep(1);
      }
    };
    // The moment at which a new count appears.
    const edge = async (least) => {
      const [before] = await at(least);
      return at(before + 1);
    };
    const [from, begun] = await edge(${FROM});
    const [to, ended] = await edge(${TO});
    return { from, to, seconds: (ended - begun) / 1000 };
  })()`);
    await tab.click("Pause");
  });
  const steps = seen.to - seen.from;
  const node = await secondsInNode(seen.from, seen.to);
  const longest = tasks && Math.max(...tasks);
  return { page: steps / seen.seconds, node: steps / node, longest };
}

/** While it learns at full speed no task of the page takes long, and in Chromium the worker is as fast as Node. */
export async function checkLearning(tab: Tab, url: string): Promise<string> {
  const isChromium = tab.name === "chromium";
  const tries: Learned[] = [];
  const holds = ({ page, node, longest = 0 }: Learned) => longest <= TASK_MS && (!isChromium || page >= SPEED * node);
  do tries.push(await learned(tab, url));
  while (tries.length < TRIES && !holds(tries.at(-1)!));
  require(holds(tries.at(-1)!), "steps a second and the longest task while it learns", tries);
  const { page, node, longest } = tries.at(-1)!;
  const tasks = longest === undefined ? "" : `, longest task of the page ${longest.toFixed(0)} ms`;
  return `${page.toFixed(0)} steps/s, Node ${node.toFixed(0)} (${(page / node).toFixed(2)})${tasks}`;
}
