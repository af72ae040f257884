/** The train step in f64, written as in a textbook, which every peer must compute. */
import { type Data, RATES, STEPS, widthsOf } from "./data.js";

interface Layer {
  inputs: number;
  outputs: number;
  /** Offsets among the parameters: weight (out, in), bias (out). */
  weight: number;
  bias: number;
}

export interface Expected {
  /** Mean loss of each update. */
  losses: number[];
  /** The parameters after the last. */
  parameters: Float64Array;
  /** (rows, actions): values of the staged rows by the first weights. */
  values: Float64Array[];
}

function layersOf(widths: readonly number[]): Layer[] {
  let at = 0;
  return widths.slice(1).map((outputs, l) => {
    const inputs = widths[l]!;
    const weight = at;
    const bias = weight + inputs * outputs;
    at = bias + outputs;
    return { inputs, outputs, weight, bias };
  });
}

/** The outputs of all layers for a row, the row first; ReLU but behind the last layer. */
function forward(layers: readonly Layer[], p: Float64Array, row: Float32Array): Float64Array[] {
  const outputs = [Float64Array.from(row)];
  for (const [l, { inputs, outputs: count, weight, bias }] of layers.entries()) {
    const x = outputs[l]!;
    const y = p.slice(bias, bias + count);
    for (let j = 0; j < count; j++) {
      let sum = y[j]!;
      for (let i = 0, w = weight + j * inputs; i < inputs; i++) sum += p[w + i]! * x[i]!;
      y[j] = l < layers.length - 1 ? Math.max(0, sum) : sum;
    }
    outputs.push(y);
  }
  return outputs;
}

/** Adds the gradient of the parameters for that of the values of one row. */
function backward(
  layers: readonly Layer[],
  p: Float64Array,
  outputs: Float64Array[],
  dq: Float64Array,
  g: Float64Array,
) {
  let dy = dq;
  for (let l = layers.length - 1; l >= 0; l--) {
    const { inputs, weight, bias } = layers[l]!;
    const x = outputs[l]!;
    const dx = new Float64Array(inputs);
    for (const [j, d] of dy.entries()) {
      if (d === 0) continue;
      g[bias + j]! += d;
      for (let i = 0, w = weight + j * inputs; i < inputs; i++) {
        g[w + i]! += d * x[i]!;
        dx[i]! += d * p[w + i]!;
      }
    }
    dy = dx.map((d, i) => (x[i]! > 0 ? d : 0));
  }
}

/** The right losses, weights and values of STEPS updates; the target network keeps the first weights. */
export function expectedOf(data: Data): Expected {
  const { observation, batch } = data.shape;
  const layers = layersOf(widthsOf(data.shape));
  const target = Float64Array.from(data.parameters);
  const p = target.slice();
  const m = new Float64Array(p.length);
  const v = new Float64Array(p.length);
  const rowOf = (rows: Float32Array, i: number) => rows.subarray(i * observation, (i + 1) * observation);
  const values = Array.from(
    { length: data.staged.length / observation },
    (_, i) => forward(layers, target, rowOf(data.staged, i)).at(-1)!,
  );
  const { learningRate, beta1, beta2, epsilon } = RATES;
  const losses = Array.from({ length: STEPS }, (_, step) => {
    const g = new Float64Array(p.length);
    let loss = 0;
    for (const i of data.drawn.subarray(step * batch, (step + 1) * batch)) {
      const next = Math.max(...forward(layers, target, rowOf(data.nextObservations, i)).at(-1)!);
      const outputs = forward(layers, p, rowOf(data.observations, i));
      const q = outputs.at(-1)!;
      const d = q[data.taken[i]!]! - (data.rewards[i]! + data.discounts[i]! * next);
      loss += (Math.abs(d) <= 1 ? (d * d) / 2 : Math.abs(d) - 0.5) / batch;
      const dq = new Float64Array(q.length);
      dq[data.taken[i]!] = Math.max(-1, Math.min(1, d)) / batch;
      backward(layers, p, outputs, dq, g);
    }
    for (const [i, slope] of g.entries()) {
      m[i] = beta1 * m[i]! + (1 - beta1) * slope;
      v[i] = beta2 * v[i]! + (1 - beta2) * slope * slope;
      const first = m[i]! / (1 - beta1 ** (step + 1));
      const second = v[i]! / (1 - beta2 ** (step + 1));
      p[i]! -= (learningRate * first) / (Math.sqrt(second) + epsilon);
    }
    return loss;
  });
  return { losses, parameters: p, values };
}
