/**
 * brain.js: its network and its own training, one pass of Adam over a batch. ReLU stands at the outputs too, the loss is the
 * squared one of all actions, and every row is an update of its own, so that only the forward can be compared.
 */
import { createRequire } from "node:module";
import { argmax, joined, layersOf } from "./layers.mjs";

const require = createRequire(import.meta.url);
const { NeuralNetwork } = require("brain.js");
const { version } = require("brain.js/package.json");

function networkOf(data) {
  const { widths, learningRate, beta1, beta2, epsilon } = data;
  const net = new NeuralNetwork({
    hiddenLayers: widths.slice(1, -1),
    activation: "relu",
    praxis: "adam",
    ...{ learningRate, beta1, beta2, epsilon },
  });
  net.sizes = [...widths];
  net.initialize();
  for (const [l, { inputs, outputs, weight, bias }] of layersOf(data, data.parameters).entries()) {
    for (let j = 0; j < outputs; j++) net.weights[l + 1][j] = weight.slice(j * inputs, (j + 1) * inputs);
    net.biases[l + 1] = bias.slice();
  }
  return net;
}

export function create(data) {
  const { observation, batch } = data;
  const net = networkOf(data);
  const target = networkOf(data);
  const row = (rows, i) => rows.subarray(i * observation, (i + 1) * observation);
  const update = () => {
    let loss = 0;
    const examples = Array.from(data.draw(), (i) => {
      const next = target.run(row(data.nextObservations, i));
      const y = data.rewards[i] + data.discounts[i] * next[argmax(next)];
      const output = net.run(row(data.observations, i));
      loss += (output[data.taken[i]] - y) ** 2 / batch;
      output[data.taken[i]] = y;
      return { input: row(data.observations, i), output };
    });
    net.train(examples, { iterations: 1, errorThresh: 1e-12 });
    return loss;
  };
  const rows = data.staged.length / observation;
  const choose = () => Array.from({ length: rows }, (_, i) => argmax(net.run(row(data.staged, i))));
  return {
    version,
    train(count) {
      let loss = 0;
      for (let i = 0; i < count; i++) loss = update();
      return loss;
    },
    act(count) {
      let action = 0;
      for (let i = 0; i < count; i++) action = argmax(net.run(row(data.staged, 0)));
      return action;
    },
    act64(count) {
      let chosen = [];
      for (let i = 0; i < count; i++) chosen = choose();
      return chosen;
    },
    chosen: choose,
    weights: () =>
      joined(
        net.weights.slice(1).map((weight, l) => ({ weight: weight.flatMap((w) => [...w]), bias: net.biases[l + 1] })),
      ),
  };
}
