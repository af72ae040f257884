/** jax-js on its Wasm backend: the whole update, Adam included, is one compiled function. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { joined, layersOf } from "./layers.mjs";

const require = createRequire(import.meta.url);
const { version } = JSON.parse(
  readFileSync(join(dirname(require.resolve("@jax-js/jax")), "..", "package.json"), "utf8"),
);

/** Every use of an array ends it, but for those through `ref`. */
const kept = (arrays) => tree.map((array) => array.ref, arrays);

/** (rows, actions); ReLU but behind the last layer. layers: [weight (in, out), bias (out)]. */
function forward(layers, x) {
  return layers.reduce((h, [w, b], l) => {
    const z = np.matmul(h, w).add(b);
    return l < layers.length - 1 ? nn.relu(z) : z;
  }, x);
}

export async function create(data) {
  await init("wasm");
  defaultDevice("wasm");
  const { observation, actions, batch, learningRate, beta1, beta2, epsilon } = data;
  const networkOf = (scale) =>
    layersOf(data, data.parameters).map(({ inputs, outputs, weight, bias }) => {
      const turned = new Float32Array(weight.length);
      for (let j = 0; j < outputs; j++) {
        for (let i = 0; i < inputs; i++) turned[i * outputs + j] = scale * weight[j * inputs + i];
      }
      return [np.array(turned).reshape([inputs, outputs]), np.array(bias.map((x) => scale * x))];
    });
  let online = networkOf(1);
  let first = networkOf(0);
  let second = networkOf(0);
  const target = networkOf(1);
  let step = 0;

  const loss = (layers, x, chosen, y) => {
    const d = forward(layers, x).mul(chosen).sum(1).sub(y);
    const size = np.abs(d);
    const inside = np.minimum(size.ref, 1);
    return inside.ref.mul(size.sub(inside.mul(0.5))).mean();
  };
  const update = jit((layers, m, v, frozen, x, next, taken, rewards, discounts, rate, small) => {
    const y = rewards.add(discounts.mul(np.max(forward(frozen, next), 1)));
    const [value, g] = valueAndGrad(loss)(kept(layers), x, nn.oneHot(taken, actions), y);
    const m2 = tree.map((a, b) => a.mul(beta1).add(b.mul(1 - beta1)), m, kept(g));
    const v2 = tree.map((a, b) => a.mul(beta2).add(b.ref.mul(b).mul(1 - beta2)), v, g);
    const next2 = tree.map(
      (w, a, b) => w.sub(a.mul(rate.ref).div(np.sqrt(b).add(small.ref))),
      layers,
      kept(m2),
      kept(v2),
    );
    rate.dispose();
    small.dispose();
    return [value, next2, m2, v2];
  });

  const batchOf = () => {
    const observations = new Float32Array(batch * observation);
    const nextObservations = new Float32Array(batch * observation);
    const rewards = new Float32Array(batch);
    const discounts = new Float32Array(batch);
    const taken = new Int32Array(batch);
    for (const [b, i] of data.draw().entries()) {
      observations.set(data.observations.subarray(i * observation, (i + 1) * observation), b * observation);
      nextObservations.set(data.nextObservations.subarray(i * observation, (i + 1) * observation), b * observation);
      rewards[b] = data.rewards[i];
      discounts[b] = data.discounts[i];
      taken[b] = data.taken[i];
    }
    return [
      np.array(observations).reshape([batch, observation]),
      np.array(nextObservations).reshape([batch, observation]),
      np.array(taken),
      np.array(rewards),
      np.array(discounts),
    ];
  };
  const train = () => {
    step++;
    const bias2 = Math.sqrt(1 - beta2 ** step);
    const rate = np.array((learningRate * bias2) / (1 - beta1 ** step));
    let value;
    [value, online, first, second] = update(
      ...[online, first, second, kept(target), ...batchOf(), rate, np.array(epsilon * bias2)],
    );
    return value.dataSync()[0];
  };

  const best = jit((layers, x) => np.argmax(forward(layers, x), 1));
  const rows = data.staged.length / observation;
  const choose = (n) =>
    best(kept(online), np.array(data.staged.slice(0, n * observation)).reshape([n, observation])).dataSync();
  return {
    version,
    train(count) {
      let value = 0;
      for (let i = 0; i < count; i++) value = train();
      return value;
    },
    act(count) {
      let chosen = [];
      for (let i = 0; i < count; i++) chosen = choose(1);
      return chosen[0];
    },
    act64(count) {
      let chosen = [];
      for (let i = 0; i < count; i++) chosen = choose(rows);
      return chosen;
    },
    chosen: () => choose(rows),
    weights: () => joined(kept(online).map(([w, b]) => ({ weight: np.transpose(w).dataSync(), bias: b.dataSync() }))),
  };
}
