/**
 * Index inputs: a part of an input row may end with indices into rows of the first layer, each with a weight.
 *
 * Such a part is dense f32(dense) | indices i32(slots), rising | weights f32(slots); a slot that is not used has index 0
 * and weight 0. It stands for `dense` numbers and `size` numbers that are 0 but at the indices, and gives the same bits:
 * each sum goes over the same products in the same order, without those that are 0.
 */
import { Arena, takeStruct } from "./arena";

@unmanaged
export class Part {
  dense: i32;
  slots: i32;
  size: i32;
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
  const weights = indices + (usize(slots) << 2);
  for (let j = 0; j < n; j += 16) {
    const width = usize(min(16, n - j)) << 2;
    const panel = w + (usize(j) << 2) * rows + width * row;
    for (let s: usize = 0; s < usize(slots) << 2; s += 4) {
      const alpha = v128.load32_splat(weights + s);
      const from = panel + width * load<u32>(indices + s);
      for (let x: usize = 0; x < width; x += 16) {
        v128.store(y + x, f32x4.add(v128.load(y + x), f32x4.mul(alpha, v128.load(from + x))));
      }
    }
    y += width;
  }
}

/** The backward of gatherRows: dW(row + index, :) += weight * dy(n). */
export function scatterRows(n: i32, slots: i32, indices: usize, dw: usize, rows: i32, row: i32, dy: usize): void {
  const weights = indices + (usize(slots) << 2);
  for (let j = 0; j < n; j += 16) {
    const width = usize(min(16, n - j)) << 2;
    const panel = dw + (usize(j) << 2) * rows + width * row;
    for (let s: usize = 0; s < usize(slots) << 2; s += 4) {
      const alpha = v128.load32_splat(weights + s);
      const to = panel + width * load<u32>(indices + s);
      for (let x: usize = 0; x < width; x += 16) {
        v128.store(to + x, f32x4.add(v128.load(to + x), f32x4.mul(alpha, v128.load(dy + x))));
      }
    }
    dy += width;
  }
}

/** Rows row.. row+count-1 of panels of `rows` rows become 0. */
export function zeroRows(n: i32, w: usize, rows: i32, row: i32, count: i32): void {
  for (let j = 0; j < n; j += 16) {
    const width = usize(min(16, n - j)) << 2;
    memory.fill(w + (usize(j) << 2) * rows + width * row, 0, width * count);
  }
}
