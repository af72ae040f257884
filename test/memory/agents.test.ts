import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Flag, MAX_HIDDEN, Normalization } from "../../assembly/abi.js";
import type { Kind } from "../reference/storage.js";
import { CASES, type Case } from "../support/cases.js";
import { PlacedArena, POISONS, pagesFor } from "./arena.js";
import { Life, placedHost, plainHost, planOf, SIZES, type Sizes } from "./lives.js";

/** `npm run test:memory` asks for more. */
const AGENTS = Number(process.env["MEMORY_AGENTS"] ?? 0);
const CALLS = 48;
/** STRUCT_BYTES of arena.ts. */
const STRUCT_BYTES = 4096;

const shipped = new WebAssembly.Module(readFileSync(".build/dqn.wasm"));

/**
 * The same life in the shipped build, in checked builds among two kinds of poison, and with a tensor of `flushed` at the
 * end of the memory: all give the same answers and the same memory.
 */
function requireSafety(given: Case, sizes: Sizes, flushed: (tensors: number) => number[]): void {
  const { persistent, figures, bytes, behind } = planOf(given, sizes);
  const plain = new Life(plainHost(shipped, bytes.slice(0, persistent)), given, sizes).begin().live(CALLS).digest();
  // Zeros are what a snapshot holds, the gradient behind it, whose padding is never written, and the figures.
  const pages = pagesFor(bytes);
  const isZero = (tensor: number) => tensor <= persistent || tensor === figures;
  const layout = { isZero, behind: (tensor: number) => behind[tensor] ?? 0, pages };
  const checked = POISONS.map((poison) => {
    const arena = new PlacedArena("dqn", { ...layout, poison, isChecked: true });
    const life = new Life(placedHost(arena, persistent), given, sizes).begin().live(CALLS);
    expect(life.digest(), `beside ${poison}`).toBe(plain);
    return { arena, life };
  });
  // What one agent saved, loaded into a fresh one among other poison, goes on as the first.
  const saved = bytes.slice(0, persistent).map((_, i) => checked[0]!.arena.bytesOf(i).slice());
  const ends = POISONS.map((poison) => {
    const arena = new PlacedArena("dqn", { ...layout, poison, isChecked: true });
    const life = new Life(placedHost(arena, persistent), given, sizes, 2n)
      .begin()
      .take(saved)
      .live(CALLS / 4);
    arena.requireGuards();
    return life.digest();
  });
  expect(ends[1]).toBe(ends[0]);
  for (const { arena } of checked) arena.requireGuards();
  for (const flush of flushed(bytes.length)) {
    const arena = new PlacedArena("dqn", { ...layout, poison: POISONS[1], flush, isChecked: false });
    const life = new Life(placedHost(arena, persistent), given, sizes).begin().live(CALLS);
    expect(life.digest(), `tensor ${flush} at the end`).toBe(plain);
    arena.requireGuards();
  }
}

describe("an agent touches nothing but its tensors, and what stands beside them does not show", () => {
  test.each(CASES.map((given, i) => [given.name, i, given] as const))("%s", (_, i, given) => {
    for (const [j, sizes] of SIZES.entries()) {
      if (AGENTS) requireSafety(given, sizes, (tensors) => Array.from({ length: tensors }, (__, x) => x));
      else if (j === i % SIZES.length) requireSafety(given, sizes, (tensors) => [(i * 7) % tensors]);
    }
  });
});

const part = fc.tuple(fc.nat(20), fc.constantFrom(0, 0, 1, 3), fc.integer({ min: 3, max: 20 }));

/** Agents with any sizes and any options that go together. */
const agents = fc
  .record({
    hidden: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
    observation: part,
    features: part,
    actions: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 })),
    flags: fc.nat(511),
    quantiles: fc.constantFrom(1, 1, 2, 5, 8, 17),
    normalization: fc.constantFrom(Normalization.None, Normalization.Layer, Normalization.Batch),
    dropout: fc.constantFrom(0, 0.3),
    batch: fc.integer({ min: 1, max: 9 }),
    capacity: fc.constantFrom(1, 7, 16, 17, 257),
    nStep: fc.integer({ min: 1, max: 4 }),
    environments: fc.integer({ min: 1, max: 3 }),
    offered: fc.integer({ min: 5, max: 9 }),
    next: fc.integer({ min: 5, max: 9 }),
    storage: fc.constantFrom<Kind>("f32", "f32", "f16", { low: -1, high: 1.25 }),
    flush: fc.nat(100),
  })
  .map(({ batch, capacity, nStep, environments, offered, next, flush, ...rest }) => {
    const given: Case = { ...rest, name: "", cqlAlpha: 0.5 };
    const [dense, slots] = rest.observation;
    if (dense + slots === 0) given.observation = [1];
    if (rest.actions) delete given.features;
    else if (rest.features[0] + rest.features[1] === 0) given.features = [1];
    let flags = rest.actions ? rest.flags : rest.flags & ~Flag.Masked;
    if (flags & Flag.Noisy && rest.normalization === Normalization.Batch) flags &= ~Flag.Noisy;
    if (flags & (Flag.Dueling | Flag.Munchausen | Flag.Conservative)) flags |= Flag.Sets;
    if (flags & Flag.Munchausen) flags &= ~Flag.Double;
    given.flags = flags;
    const sizes = { Batch: batch, Capacity: capacity, NStep: nStep, Environments: environments };
    return { given, sizes: { ...sizes, MaxCandidates: offered, NextCandidates: next }, flush };
  });

test("the same for agents of any shape and any options that go together", () => {
  fc.assert(
    fc.property(agents, ({ given, sizes, flush }) => requireSafety(given, sizes, (tensors) => [flush % tensors])),
    { numRuns: AGENTS || 12, seed: 1, includeErrorInReport: true },
  );
});

test("the structs of the largest agent fit the room that they have", () => {
  const given: Case = {
    name: "",
    hidden: new Array<number>(MAX_HIDDEN).fill(3),
    observation: [2, 1, 3],
    features: [2, 1, 3],
    flags: 511 & ~Flag.Masked,
    normalization: Normalization.Batch,
  };
  const { structBytes } = planOf(given, SIZES[0]!);
  expect(structBytes).toBeGreaterThan(1000);
  expect(structBytes).toBeLessThanOrEqual(STRUCT_BYTES);
});
