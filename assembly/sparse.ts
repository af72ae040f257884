/**
 * Index inputs: a part of an input row may end with indices into rows of the first layer, each with a weight.
 *
 * Such a part is dense f32(dense) | indices i32(slots), rising | weights f32(slots); a slot that is not used has index 0
 * and weight 0. It stands for `dense` numbers and `size` numbers that are 0 but at the indices, and gives the same bits:
 * each sum goes over the same products in the same order, without those that are 0.
 */
import { Storage } from "./abi";
import { Arena, takeStruct } from "./arena";

@unmanaged
export class Part {
  dense: i32;
  slots: i32;
  size: i32;
  /** See storage.ts: how dense numbers are stored, and their bounds. */
  storage: Storage;
  low: f32;
  high: f32;
}

export function newPart(arena: Arena, dense: i32, slots: i32, size: i32): Part {
  const part = changetype<Part>(takeStruct(arena, offsetof<Part>()));
  part.dense = dense;
  part.slots = slots;
  part.size = slots ? size : 0;
  return part;
}

/** Words of 4 bytes in an input row. */
// @ts-ignore: decorator
@inline
export function wordsOf(part: Part): i32 {
  return part.dense + 2 * part.slots;
}

/** Their bytes. */
// @ts-ignore: decorator
@inline
export function bytesOf(part: Part): usize {
  return usize(wordsOf(part)) << 2;
}

/** Rows of the first layer that a part reads. */
// @ts-ignore: decorator
@inline
export function rowsOf(part: Part): i32 {
  return part.dense + part.size;
}

/** Whether the indices of a part at x lie below its size. */
export function indicesAreValid(part: Part, x: usize): bool {
  const indices = x + (usize(part.dense) << 2);
  for (let s = 0; s < part.slots; s++) {
    if (load<u32>(indices + (usize(s) << 2)) >= u32(part.size)) return false;
  }
  return true;
}

/**
 * y(n) += sum over slots of weight * W(row + index, :)   W in panels of `rows` rows
 * Requires n % 4 == 0; y must not alias W.
 */
export function gatherRows(n: i32, slots: i32, indices: usize, w: usize, rows: i32, row: i32, y: usize): void {
  for (; n >= 32; n -= 32) {
    const panel = w + (usize(row) << 6);
    w += usize(rows) << 7;
    gather32(slots, indices, panel, panel + (usize(rows) << 6), y);
    y += 128;
  }
  if (n >= 16) {
    gather16(slots, indices, w + (usize(row) << 6), y);
    w += usize(rows) << 6;
    y += 64;
    n -= 16;
  }
  // The rest is one narrower panel.
  const width = usize(n) << 2;
  w += width * row;
  for (let x: usize = 0; x < width; x += 16) gather4(slots, indices, w + x, width, y + x);
}

/** The same for two panels at once: eight chains hide the latency of an addition. */
function gather32(slots: i32, indices: usize, v: usize, w: usize, y: usize): void {
  const end = indices + (usize(slots) << 2);
  const weights = usize(slots) << 2;
  let y0 = v128.load(y);
  let y1 = v128.load(y, 16);
  let y2 = v128.load(y, 32);
  let y3 = v128.load(y, 48);
  let y4 = v128.load(y, 64);
  let y5 = v128.load(y, 80);
  let y6 = v128.load(y, 96);
  let y7 = v128.load(y, 112);
  for (; indices < end; indices += 4) {
    const at = usize(load<u32>(indices)) << 6;
    const weight = v128.load32_splat(indices + weights);
    y0 = f32x4.add(y0, f32x4.mul(weight, v128.load(v + at)));
    y1 = f32x4.add(y1, f32x4.mul(weight, v128.load(v + at, 16)));
    y2 = f32x4.add(y2, f32x4.mul(weight, v128.load(v + at, 32)));
    y3 = f32x4.add(y3, f32x4.mul(weight, v128.load(v + at, 48)));
    y4 = f32x4.add(y4, f32x4.mul(weight, v128.load(w + at)));
    y5 = f32x4.add(y5, f32x4.mul(weight, v128.load(w + at, 16)));
    y6 = f32x4.add(y6, f32x4.mul(weight, v128.load(w + at, 32)));
    y7 = f32x4.add(y7, f32x4.mul(weight, v128.load(w + at, 48)));
  }
  v128.store(y, y0);
  v128.store(y, y1, 16);
  v128.store(y, y2, 32);
  v128.store(y, y3, 48);
  v128.store(y, y4, 64);
  v128.store(y, y5, 80);
  v128.store(y, y6, 96);
  v128.store(y, y7, 112);
}

/** y(16) += sum over slots of weight * W(index, :), rows of 64 bytes. */
function gather16(slots: i32, indices: usize, w: usize, y: usize): void {
  const end = indices + (usize(slots) << 2);
  const weights = usize(slots) << 2;
  let y0 = v128.load(y);
  let y1 = v128.load(y, 16);
  let y2 = v128.load(y, 32);
  let y3 = v128.load(y, 48);
  for (; indices < end; indices += 4) {
    const from = w + (usize(load<u32>(indices)) << 6);
    const weight = v128.load32_splat(indices + weights);
    y0 = f32x4.add(y0, f32x4.mul(weight, v128.load(from)));
    y1 = f32x4.add(y1, f32x4.mul(weight, v128.load(from, 16)));
    y2 = f32x4.add(y2, f32x4.mul(weight, v128.load(from, 32)));
    y3 = f32x4.add(y3, f32x4.mul(weight, v128.load(from, 48)));
  }
  v128.store(y, y0);
  v128.store(y, y1, 16);
  v128.store(y, y2, 32);
  v128.store(y, y3, 48);
}

/** y(4) += sum over slots of weight * W(index, :), rows of `stride` bytes. */
function gather4(slots: i32, indices: usize, w: usize, stride: usize, y: usize): void {
  const end = indices + (usize(slots) << 2);
  const weights = usize(slots) << 2;
  let sum = v128.load(y);
  for (; indices < end; indices += 4) {
    const from = v128.load(w + stride * load<u32>(indices));
    sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(indices + weights), from));
  }
  v128.store(y, sum);
}

/** The backward of gatherRows: dW(row + index, :) += weight * dy(n). */
export function scatterRows(n: i32, slots: i32, indices: usize, dw: usize, rows: i32, row: i32, dy: usize): void {
  for (; n >= 16; n -= 16) {
    scatter16(slots, indices, dw + (usize(row) << 6), dy);
    dw += usize(rows) << 6;
    dy += 64;
  }
  const width = usize(n) << 2;
  dw += width * row;
  for (let x: usize = 0; x < width; x += 16) scatter4(slots, indices, dw + x, width, dy + x);
}

function scatter16(slots: i32, indices: usize, dw: usize, dy: usize): void {
  const end = indices + (usize(slots) << 2);
  const weights = usize(slots) << 2;
  const d0 = v128.load(dy);
  const d1 = v128.load(dy, 16);
  const d2 = v128.load(dy, 32);
  const d3 = v128.load(dy, 48);
  for (; indices < end; indices += 4) {
    const to = dw + (usize(load<u32>(indices)) << 6);
    const weight = v128.load32_splat(indices + weights);
    v128.store(to, f32x4.add(v128.load(to), f32x4.mul(weight, d0)));
    v128.store(to, f32x4.add(v128.load(to, 16), f32x4.mul(weight, d1)), 16);
    v128.store(to, f32x4.add(v128.load(to, 32), f32x4.mul(weight, d2)), 32);
    v128.store(to, f32x4.add(v128.load(to, 48), f32x4.mul(weight, d3)), 48);
  }
}

function scatter4(slots: i32, indices: usize, dw: usize, stride: usize, dy: usize): void {
  const end = indices + (usize(slots) << 2);
  const weights = usize(slots) << 2;
  const d = v128.load(dy);
  for (; indices < end; indices += 4) {
    const to = dw + stride * load<u32>(indices);
    v128.store(to, f32x4.add(v128.load(to), f32x4.mul(v128.load32_splat(indices + weights), d)));
  }
}

/** Rows row.. row+count-1 of panels of `rows` rows become 0. */
export function zeroRows(n: i32, w: usize, rows: i32, row: i32, count: i32): void {
  for (let j = 0; j < n; j += 16) {
    const width = usize(min(16, n - j)) << 2;
    memory.fill(w + (usize(j) << 2) * rows + width * row, 0, width * count);
  }
}
