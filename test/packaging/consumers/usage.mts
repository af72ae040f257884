/** What a user of TypeScript writes; compiled, never run. */
import {
  CartPole,
  DQN,
  type DQNOptions,
  type EngineOptions,
  type Environment,
  evaluate,
  type Schedule,
  SnapshotError,
  train,
} from "liveq";
import { fromSafetensors, TensorBoardWriter, tensorBoardLogger, toOnnx, toSafetensors } from "liveq/exchange";
import { saveFile } from "liveq/node";
import { Recommender } from "liveq/recommender";
import { ingest, takeEach } from "liveq/server";

class Walk implements Environment {
  readonly observationSize = 1;
  readonly actions = 2;
  #at = 0;

  reset(): number[] {
    this.#at = 0;
    return [this.#at];
  }

  step(action: number) {
    this.#at += action === 1 ? 1 : -1;
    return { observation: [this.#at], reward: -1, terminated: this.#at >= 3, truncated: false };
  }
}

const epsilon: Schedule = { type: "linear", from: 1, to: 0.1, steps: 100 };
const options: DQNOptions = { observation: 4, actions: 2, epsilon, storage: { type: "u8", low: 0, high: 1 } };
const run: EngineOptions = { kernels: "auto", threads: 2 };
const agent = new DQN(options, run);
const action: number = agent.act(new Float32Array(4));
agent.observe({
  observation: [0, 0, 0, 0],
  action,
  reward: 1,
  terminated: false,
  nextObservation: new Float32Array(4),
});
const loss: number = agent.learn();
const reason: string = agent.stats().threadsReason;
const bytes: Uint8Array = agent.save({ replay: false });

const training = train(agent, new CartPole(), { steps: 100, onProgress: ({ step, meanReturn }) => [step, meanReturn] });
for await (const { step } of training) if (step > 50) break;
const { ended } = await training;
await train(new DQN({ observation: 1, actions: 2 }), new Walk(), { steps: 10 });
const scores: number[] = evaluate(agent, new CartPole(), { episodes: 1 });

try {
  saveFile("agent.liveq", DQN.load(bytes, run).saveChunks());
} catch (error) {
  if (error instanceof SnapshotError) throw new Error(error.message);
}
agent.setWeights(fromSafetensors(toSafetensors(agent.weights())));
const writer = new TensorBoardWriter(() => {}, 0);
await train(agent, new CartPole(), { steps: 10, onProgress: tensorBoardLogger(agent, writer, () => 0) });

const recommender = new Recommender({ seed: 1 });
recommender.feedback({ kind: "click", time: 1, user: "u", stream: "s" });
const slate: readonly (string | number)[] = recommender.recommend({ user: "u", now: 1, k: 3 }).slate;
const door: (request: Request) => Promise<Response> = ingest({
  sink: (events, now) => takeEach(recommender, events, now),
});

// @ts-expect-error -- an option that there is not
new DQN({ observation: 4, actions: 2, gama: 0.9 });

export { door, ended, loss, reason, scores, slate };
export const onnx: Uint8Array = toOnnx(agent);
