/** convnetjs: its network for forward and backward; its trainer has no Adam, so that one in plain JavaScript steps. */
import { createRequire } from "node:module";
import { argmax, joined, layersOf } from "./layers.mjs";
import { adam } from "./plain.mjs";

const require = createRequire(import.meta.url);
const convnetjs = require("convnetjs");
const { version } = require("convnetjs/package.json");

function networkOf(data) {
  const { widths } = data;
  const net = new convnetjs.Net();
  net.makeLayers([
    { type: "input", out_sx: 1, out_sy: 1, out_depth: widths[0] },
    ...widths.slice(1, -1).map((n) => ({ type: "fc", num_neurons: n, activation: "relu" })),
    { type: "regression", num_neurons: widths.at(-1) },
  ]);
  const full = net.layers.filter(({ layer_type: type }) => type === "fc");
  for (const [l, { inputs, outputs, weight, bias }] of layersOf(data, data.parameters).entries()) {
    for (let j = 0; j < outputs; j++) full[l].filters[j].w.set(weight.subarray(j * inputs, (j + 1) * inputs));
    full[l].biases.w.set(bias);
  }
  return { net, full };
}

export function create(data) {
  const { observation, batch } = data;
  const { net, full } = networkOf(data);
  const target = networkOf(data).net;
  const moments = net.getParamsAndGrads().map(({ params }) => [params.slice().fill(0), params.slice().fill(0)]);
  const volume = new convnetjs.Vol(1, 1, observation, 0);
  let step = 0;

  const valuesOf = (network, rows, i) => {
    volume.w.set(rows.subarray(i * observation, (i + 1) * observation));
    return network.forward(volume, false).w;
  };
  const update = () => {
    let loss = 0;
    for (const i of data.draw()) {
      const next = valuesOf(target, data.nextObservations, i);
      const y = data.rewards[i] + data.discounts[i] * next[argmax(next)];
      const q = valuesOf(net, data.observations, i)[data.taken[i]];
      const d = q - y;
      loss += (Math.abs(d) <= 1 ? 0.5 * d * d : Math.abs(d) - 0.5) / batch;
      // Its gradient is q - val: with this value that of Huber's loss.
      net.backward({ dim: data.taken[i], val: q - Math.max(-1, Math.min(1, d)) / batch });
    }
    step++;
    for (const [p, { params, grads }] of net.getParamsAndGrads().entries()) {
      adam(data, step, params, grads, ...moments[p]);
      grads.fill(0);
    }
    return loss;
  };
  const rows = data.staged.length / observation;
  const choose = () => Array.from({ length: rows }, (_, i) => argmax(valuesOf(net, data.staged, i)));
  return {
    version,
    train(count) {
      let loss = 0;
      for (let i = 0; i < count; i++) loss = update();
      return loss;
    },
    act(count) {
      let action = 0;
      for (let i = 0; i < count; i++) action = argmax(valuesOf(net, data.staged, 0));
      return action;
    },
    act64(count) {
      let chosen = [];
      for (let i = 0; i < count; i++) chosen = choose();
      return chosen;
    },
    chosen: choose,
    weights: () =>
      joined(full.map(({ filters, biases }) => ({ weight: filters.flatMap(({ w }) => [...w]), bias: biases.w }))),
  };
}
