import type { Kernels } from "./kernels.js";

/** One layer: w (inputs, outputs) row-major and b (outputs), f64. */
export interface Layer {
  inputs: number;
  outputs: number;
  w: Float64Array;
  b: Float64Array;
}

/** The naive twin of network.ts: a multi-layer perceptron with ReLU between its layers, in f64. */
export type Network = Layer[];

/** Reads a parameter block of the engine; widths = inputs, hidden layers, outputs. */
export function unpackNetwork(kernels: Kernels, block: ArrayLike<number>, widths: number[]): Network {
  let at = 0;
  return widths.slice(1).map((outputs, l) => {
    const inputs = widths[l]!;
    const isHead = l === widths.length - 2;
    const rows = kernels.padded(inputs);
    const columns = kernels.padded(outputs);
    const w = new Float64Array(inputs * outputs);
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j < outputs; j++) {
        w[i * outputs + j] = block[at + (isHead ? j * rows + i : kernels.panelOffset(rows, outputs, i, j) / 4)]!;
      }
    }
    const bias = at + rows * columns;
    const b = Float64Array.from({ length: outputs }, (_, j) => block[bias + j]!);
    at = bias + columns;
    return { inputs, outputs, w, b };
  });
}

/** All outputs for one row. */
export function values(network: Network, x: ArrayLike<number>): Float64Array {
  let h = Float64Array.from(x);
  network.forEach(({ inputs, outputs, w, b }, l) => {
    const y = b.slice();
    for (let i = 0; i < inputs; i++) for (let j = 0; j < outputs; j++) y[j]! += h[i]! * w[i * outputs + j]!;
    h = l < network.length - 1 ? y.map((v) => Math.max(v, 0)) : y;
  });
  return h;
}

/** d loss / d parameters by central differences, in the shape of the network. */
export function differences(network: Network, loss: () => number, step = 1e-6): Network {
  const slope = (parameters: Float64Array) =>
    parameters.map((value, i) => {
      parameters[i] = value + step;
      const above = loss();
      parameters[i] = value - step;
      const below = loss();
      parameters[i] = value;
      return (above - below) / (2 * step);
    });
  return network.map(({ inputs, outputs, w, b }) => ({ inputs, outputs, w: slope(w), b: slope(b) }));
}

/** All parameters, one after the other. */
export function flat(network: Network): number[] {
  return network.flatMap(({ w, b }) => [...w, ...b]);
}
