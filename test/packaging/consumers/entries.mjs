/** Every door of the package; saves the agent's file under the name that is the argument. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CartPole, DQN, train } from "liveq";
import { RandomPolicy } from "liveq/baselines";
import { LiveMetrics } from "liveq/evaluation";
import { fromSafetensors, TensorBoardWriter, toOnnx, toSafetensors } from "liveq/exchange";
import { saveFile } from "liveq/node";
import manifest from "liveq/package.json" with { type: "json" };
import { Recommender } from "liveq/recommender";
import { ingest } from "liveq/server";
import { simulate } from "liveq/simulator";
import { program } from "./program.mjs";

function check(isTrue, what) {
  if (!isTrue) throw new Error(`${what} does not work`);
}

for (const path of Object.keys(manifest.exports).filter((each) => !/\.(wasm|json)$/.test(each))) {
  const name = path.replace(".", "liveq");
  check(Object.keys(await import(name)).length > 0, name);
}
const bytes = readFileSync(fileURLToPath(import.meta.resolve("liveq/dqn.wasm")));
const { hash, file } = await program({ CartPole, DQN, train }, { module: new WebAssembly.Module(bytes) });
saveFile(process.argv[2], file);
const agent = DQN.load(readFileSync(process.argv[2]));
check(agent.replaySize === 300, "liveq/node");
agent.setWeights(fromSafetensors(toSafetensors(agent.weights())));
check(toOnnx(agent).length > 1000, "liveq/exchange");
const recommender = new Recommender({ seed: 1 });
recommender.feedback({ kind: "on_air", time: 0, stream: "s", streamer: "a", category: "c", tags: [] });
check(recommender.recommend({ user: "u", now: 1, k: 1 }).slate[0] === "s", "liveq/recommender");
const door = ingest({ sink: ([event]) => recommender.feedback(event) });
const body = JSON.stringify({ kind: "click", time: 2, user: "u", stream: "s" });
const headers = { "content-type": "application/json" };
const answer = await door(new Request("http://localhost/events", { method: "POST", headers, body }));
check((await answer.json()).accepted === 1, "liveq/server");
const metrics = new LiveMetrics();
const world = { viewers: 10, streamers: 20, days: 1, seed: 1 };
simulate(new RandomPolicy(1), world, { onEvent: (event) => metrics.feedback(event) });
check(metrics.result({ resamples: 1 }).length > 0, "liveq/simulator with liveq/baselines and liveq/evaluation");
let written = 0;
new TensorBoardWriter((part) => (written += part.length), 0).scalar("loss", 1, 1, 1);
check(written > 0, "liveq/exchange");
check(manifest.name === "liveq", "liveq/package.json");
console.log(JSON.stringify({ hash }));
