import { expect, test } from "vitest";
import { KernelBench } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

const bench = new KernelBench();
const { gatherRows, padded, panelOffset, scatterRows, zeroRows } = bench.exports;

/** Indices and weights as a part of an input row holds them. */
function slotsOf(indices: number[], weights: number[]) {
  const tensor = bench.f32(2 * indices.length);
  new Int32Array(tensor.data.buffer, tensor.data.byteOffset, indices.length).set(indices);
  tensor.data.set(weights, indices.length);
  return tensor.at;
}

test("gather and scatter touch the rows that are named, times their weights, for all widths up to 40", () => {
  for (let outputs = 1; outputs <= 40; outputs++) {
    bench.reset();
    const [rows, row, n] = [padded(13), 3, padded(outputs)];
    const indices = [0, 2, 7, 9];
    const weights = [0.5, -1, 2, 0];
    const w = bench.f32(rows * n, numbers(rows * n, outputs));
    const y = bench.f32(n, numbers(n, 2));
    const expected = y.data.slice();
    const at = (i: number, j: number) => panelOffset(rows, n, row + i, j) / 4;
    for (let j = 0; j < n; j++) {
      indices.forEach((index, s) => {
        expected[j]! += Math.fround(weights[s]! * w.data[at(index, j)]!);
      });
    }
    gatherRows(n, 4, slotsOf(indices, weights), w.at, rows, row, y.at);
    expect(Array.from(y.data)).toEqual(Array.from(expected));

    const dw = bench.f32(rows * n, numbers(rows * n, 7));
    const touched = dw.data.slice();
    zeroRows(n, dw.at, rows, row, 10);
    scatterRows(n, 4, slotsOf(indices, weights), dw.at, rows, row, y.at);
    for (let i = 0; i < 10; i++) {
      for (let j = 0; j < n; j++) {
        const s = indices.indexOf(i);
        touched[at(i, j)] = s < 0 ? 0 : Math.fround(weights[s]! * y.data[j]!) + 0;
      }
    }
    expect(Array.from(dw.data, (x) => x + 0)).toEqual(Array.from(touched));
    expect(bench.guardsHold()).toBe(true);
  }
});
