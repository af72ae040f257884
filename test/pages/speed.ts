/** How long the page's own thread is held up, and how fast its worker learns beside Node. */
import { DQN } from "../../src/engine/index.js";
import { Scene } from "../../src/playground/control/scenes.js";
import { optionsOf, RECIPES, settingsOf } from "../../src/playground/control/settings.js";
import { train } from "../../src/training/index.js";
import type { Tab } from "./tab.js";

const NAME = "MountainCar-v0";
/** So little that it is never solved: then the training would end. */
const LEARNING_RATE = "0.0000001";
const [FROM, TO] = [5000, 40_000];

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

/** Learns at full speed: the longest task of the page, where the browser tells it, and the worker's speed by Node's. */
export async function measure(tab: Tab, url: string): Promise<string> {
  await tab.open(`${url}/#control?environment=${NAME}&learningRate=${LEARNING_RATE}`);
  await tab.until(`byText("Start")`);
  await tab.evaluate("sleep(1000)");
  await tab.evaluate(`(globalThis.tasks = [],
    PerformanceObserver.supportedEntryTypes.includes("longtask") &&
      new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
        .observe({ type: "longtask" }),
    byText("Start").click())`);
  const step = `Number(figure("Steps").split(" ")[0].replaceAll(",", ""))`;
  await tab.until(`${step} > 0`, "it learns");
  const seen = await tab.evaluate<{ from: number; to: number; seconds: number; tasks: number[] }>(`(async () => {
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
    return { from, to, seconds: (ended - begun) / 1000, tasks };
  })()`);
  await tab.click("Pause");
  const node = await secondsInNode(seen.from, seen.to);
  const speed = (seconds: number) => ((seen.to - seen.from) / seconds).toFixed(0);
  const longest = seen.tasks.length === 0 ? "none of 50 ms" : `${Math.max(...seen.tasks).toFixed(0)} ms`;
  const tasks = tab.name === "chromium" ? `, longest task of the page ${longest}` : "";
  return `${speed(seen.seconds)} steps/s, Node ${speed(node)} (${(node / seen.seconds).toFixed(2)})${tasks}`;
}
