/** Plain JavaScript: loops over typed arrays, as one writes them by hand. */
import { argmax, joined, layersOf } from "./layers.mjs";

const layersWith = (data) =>
  layersOf(data, data.parameters).map((layer) => ({
    ...layer,
    weight: layer.weight.slice(),
    bias: layer.bias.slice(),
  }));

/** The outputs of all layers for one row. */
function forward(layers, outputs) {
  for (let l = 0; l < layers.length; l++) {
    const { inputs, outputs: n, weight, bias } = layers[l];
    const x = outputs[l];
    const y = outputs[l + 1];
    const isLast = l === layers.length - 1;
    for (let j = 0, w = 0; j < n; j++) {
      let sum = bias[j];
      for (let i = 0; i < inputs; i++, w++) sum += weight[w] * x[i];
      y[j] = isLast || sum > 0 ? sum : 0;
    }
  }
  return outputs[layers.length];
}

/** Adds a row's gradient; deltas[l] is that of outputs[l]. */
function backward(layers, gradients, outputs, deltas) {
  for (let l = layers.length - 1; l >= 0; l--) {
    const { inputs, outputs: n, weight } = layers[l];
    const { weight: dw, bias: db } = gradients[l];
    const x = outputs[l];
    const dy = deltas[l + 1];
    const dx = deltas[l];
    dx.fill(0);
    for (let j = 0; j < n; j++) {
      const d = dy[j];
      if (d === 0) continue;
      db[j] += d;
      const w = j * inputs;
      for (let i = 0; i < inputs; i++) dw[w + i] += d * x[i];
      if (l > 0) for (let i = 0; i < inputs; i++) dx[i] += d * weight[w + i];
    }
    if (l > 0) for (let i = 0; i < inputs; i++) if (x[i] <= 0) dx[i] = 0;
  }
}

/** Adam for one array of parameters after `step` updates. */
export function adam({ learningRate, beta1, beta2, epsilon }, step, w, g, m, v) {
  const bias2 = Math.sqrt(1 - beta2 ** step);
  const alpha = (learningRate * bias2) / (1 - beta1 ** step);
  for (let i = 0; i < w.length; i++) {
    m[i] = beta1 * m[i] + (1 - beta1) * g[i];
    v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
    w[i] -= (alpha * m[i]) / (Math.sqrt(v[i]) + epsilon * bias2);
  }
}

export function create(data) {
  const { observation, batch, widths } = data;
  const online = layersWith(data);
  const target = layersWith(data);
  const zeros = () =>
    online.map(({ weight, bias }) => ({ weight: weight.slice().fill(0), bias: bias.slice().fill(0) }));
  const gradients = zeros();
  const first = zeros();
  const second = zeros();
  const outputs = widths.map((n) => new Float32Array(n));
  const deltas = widths.map((n) => new Float32Array(n));
  const last = widths.length - 1;
  let step = 0;

  const valuesOf = (layers, rows, i) => {
    outputs[0] = rows.subarray(i * observation, (i + 1) * observation);
    return forward(layers, outputs);
  };
  const update = () => {
    for (const { weight, bias } of gradients) {
      weight.fill(0);
      bias.fill(0);
    }
    let loss = 0;
    for (const i of data.draw()) {
      const next = valuesOf(target, data.nextObservations, i);
      const y = data.rewards[i] + data.discounts[i] * next[argmax(next)];
      const d = valuesOf(online, data.observations, i)[data.taken[i]] - y;
      loss += (Math.abs(d) <= 1 ? 0.5 * d * d : Math.abs(d) - 0.5) / batch;
      deltas[last].fill(0);
      deltas[last][data.taken[i]] = Math.max(-1, Math.min(1, d)) / batch;
      backward(online, gradients, outputs, deltas);
    }
    step++;
    for (let l = 0; l < online.length; l++) {
      for (const key of ["weight", "bias"]) {
        adam(data, step, online[l][key], gradients[l][key], first[l][key], second[l][key]);
      }
    }
    return loss;
  };
  const rows = data.staged.length / observation;
  const choose = () => Array.from({ length: rows }, (_, i) => argmax(valuesOf(online, data.staged, i)));
  return {
    version: "",
    train(count) {
      let loss = 0;
      for (let i = 0; i < count; i++) loss = update();
      return loss;
    },
    act(count) {
      let action = 0;
      for (let i = 0; i < count; i++) action = argmax(valuesOf(online, data.staged, 0));
      return action;
    },
    act64(count) {
      let chosen = [];
      for (let i = 0; i < count; i++) chosen = choose();
      return chosen;
    },
    chosen: choose,
    weights: () => joined(online),
  };
}
