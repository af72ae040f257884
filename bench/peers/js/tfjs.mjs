/**
 * TensorFlow.js, variant `BACKEND GRADIENT`: the backends cpu and wasm (SIMD, one thread); gradients by its own
 * differentiation, or written by hand with transposes made first, for the Wasm backend is fast only without them.
 */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs";
import * as wasm from "@tensorflow/tfjs-backend-wasm";
import { joined, layersOf } from "./layers.mjs";

const require = createRequire(import.meta.url);

async function start(backend) {
  tf.enableProdMode();
  if (backend === "wasm") {
    wasm.setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
    wasm.setThreadsCount(1);
  }
  await tf.setBackend(backend);
  await tf.ready();
}

export async function create(data, variant) {
  const [backend, gradient] = variant.split(" ");
  await start(backend);
  const { observation, actions, batch, learningRate, beta1, beta2, epsilon } = data;
  /** Pairs of weight (in, out) and bias (out). */
  const networkOf = (make) =>
    layersOf(data, data.parameters).map(({ inputs, outputs, weight, bias }) => [
      make(tf.tidy(() => tf.transpose(tf.tensor2d(weight, [outputs, inputs])))),
      make(tf.tensor1d(bias)),
    ]);
  const online = networkOf((tensor) => tf.variable(tensor));
  const target = networkOf((tensor) => tensor);
  const variables = online.flat();
  const optimizer = tf.train.adam(learningRate, beta1, beta2, epsilon);

  /** The outputs of all layers; ReLU but behind the last. */
  const forward = (layers, x) => {
    const outputs = [x];
    for (const [l, [w, b]] of layers.entries()) {
      const activation = l < layers.length - 1 ? "relu" : "linear";
      outputs.push(tf.fused.matMul({ a: outputs[l], b: w, bias: b, activation }));
    }
    return outputs;
  };
  const valuesOf = (layers, x) => forward(layers, x).at(-1);

  const observations = new Float32Array(batch * observation);
  const nextObservations = new Float32Array(batch * observation);
  const rewards = new Float32Array(batch);
  const discounts = new Float32Array(batch);
  const taken = new Int32Array(batch);
  const gather = () => {
    for (const [b, i] of data.draw().entries()) {
      observations.set(data.observations.subarray(i * observation, (i + 1) * observation), b * observation);
      nextObservations.set(data.nextObservations.subarray(i * observation, (i + 1) * observation), b * observation);
      rewards[b] = data.rewards[i];
      discounts[b] = data.discounts[i];
      taken[b] = data.taken[i];
    }
  };

  const huber = (d) => {
    const size = tf.abs(d);
    const inside = tf.minimum(size, 1);
    return tf.mean(tf.mul(inside, tf.sub(size, tf.mul(inside, 0.5))));
  };
  const byItself = (x, chosen, y) => {
    const { value, grads } = tf.variableGrads(
      () => huber(tf.sub(tf.sum(tf.mul(valuesOf(online, x), chosen), 1), y)),
      variables,
    );
    return { value, grads };
  };
  const byHand = (x, chosen, y) => {
    const outputs = forward(online, x);
    const d = tf.sub(tf.sum(tf.mul(outputs.at(-1), chosen), 1), y);
    const slope = tf.div(tf.clipByValue(d, -1, 1), batch);
    let dy = tf.mul(chosen, tf.expandDims(slope, 1));
    const grads = {};
    for (let l = online.length - 1; l >= 0; l--) {
      const [w, b] = online[l];
      grads[w.name] = tf.matMul(tf.transpose(outputs[l]), dy);
      grads[b.name] = tf.sum(dy, 0);
      if (l > 0) dy = tf.mul(tf.matMul(dy, tf.transpose(w)), tf.step(outputs[l]));
    }
    return { value: huber(d), grads };
  };
  const differentiate = gradient === "by-hand" ? byHand : byItself;

  const update = () =>
    tf.tidy(() => {
      gather();
      const next = tf.max(valuesOf(target, tf.tensor2d(nextObservations, [batch, observation])), 1);
      const y = tf.add(tf.tensor1d(rewards), tf.mul(tf.tensor1d(discounts), next));
      // As f32 at once, the Wasm backend writes the integer 1.
      const chosen = tf.cast(tf.oneHot(tf.tensor1d(taken, "int32"), actions), "float32");
      const { value, grads } = differentiate(tf.tensor2d(observations, [batch, observation]), chosen, y);
      optimizer.applyGradients(grads);
      return value.dataSync()[0];
    });

  const rows = data.staged.length / observation;
  const choose = (n) =>
    tf.tidy(() =>
      tf
        .argMax(valuesOf(online, tf.tensor2d(data.staged.subarray(0, n * observation), [n, observation])), 1)
        .dataSync(),
    );
  return {
    version: tf.version.tfjs,
    train(count) {
      let loss = 0;
      for (let i = 0; i < count; i++) loss = update();
      return loss;
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
    weights: () =>
      joined(online.map(([w, b]) => ({ weight: tf.tidy(() => tf.transpose(w).dataSync()), bias: b.dataSync() }))),
  };
}
