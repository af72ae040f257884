import { describe, expect, test } from "vitest";
import { DQN, MaskedGrid, train } from "../../../src/index.js";

/** Steps to the goal from each start of the default grid, counted by hand. */
const DISTANCES = `
  8 7 6 # 0
  9 # 5 # 1
  8 # 4 3 2
  7 6 5 # P
  8 # 6 7 8
`;

/** (cells): the optimal return of each start, from the distances. */
function optimal(gamma: number): Map<number, number> {
  const cells = DISTANCES.trim().split(/\s+/);
  const entries = cells.flatMap((text, cell): [number, number][] => {
    const steps = Number(text);
    if (!(steps > 0)) return [];
    let value = 1;
    for (let i = 1; i < steps; i++) value = -0.04 + gamma * value;
    return [[cell, value]];
  });
  return new Map(entries);
}

/** A seed that starts in each cell. */
function seeds(grid: MaskedGrid): Map<number, number> {
  const found = new Map<number, number>();
  for (let seed = 0; seed < 500; seed++) {
    grid.reset(seed);
    if (!found.has(grid.cell)) found.set(grid.cell, seed);
  }
  return found;
}

describe("MaskedGrid", () => {
  test("has the optimal values that its distances give", () => {
    const grid = new MaskedGrid();
    for (const gamma of [1, 0.9, 0]) {
      const values = grid.optimalValues(gamma);
      const expected = optimal(gamma);
      expect([...expected.keys()]).toEqual(grid.starts);
      for (const [cell, value] of expected) expect(values[cell]).toBeCloseTo(value, 12);
    }
    expect(grid.optimalValues(0.9)[4]).toBe(0);
    expect(grid.optimalValues(0.9)[3]).toBeNaN();
  });

  test("offers exactly the moves that are possible, and takes no other", () => {
    const grid = new MaskedGrid(["..G", ".#P"]);
    const masks = new Map([
      [0, [0, 1, 1, 0]],
      [1, [0, 1, 0, 1]],
      [3, [1, 0, 0, 0]],
    ]);
    const starts = seeds(grid);
    expect([...starts.keys()].sort()).toEqual([0, 1, 3]);
    for (const [cell, seed] of starts) {
      for (let action = 0; action < 4; action++) {
        const observation = grid.reset(seed);
        expect(Array.from(observation)).toEqual(Array.from({ length: 6 }, (_, i) => (i === cell ? 1 : 0)));
        expect(Array.from(grid.mask())).toEqual(masks.get(cell));
        if (grid.mask()[action]) expect(grid.step(action).observation[grid.cell]).toBe(1);
        else expect(() => grid.step(action)).toThrow(`"action" must be one that mask() offers, got ${action}`);
      }
    }
  });

  test("ends in the goal with 1 and in a pit with -1, costs 0.04 a step, and is cut after 4 steps a cell", () => {
    const grid = new MaskedGrid([".G.P"]);
    const starts = seeds(grid);
    grid.reset(starts.get(0));
    expect(grid.step(1)).toMatchObject({ reward: 1, terminated: true, truncated: false });
    expect(() => grid.step(1)).toThrow("reset() must be called");
    grid.reset(starts.get(2));
    expect(grid.step(1)).toMatchObject({ reward: -1, terminated: true });
    expect(() => grid.step(4)).toThrow('"action" must be an integer in [0, 3], got 4');

    const corridor = new MaskedGrid(["..G"]);
    corridor.reset(seeds(corridor).get(0));
    for (let step = 1; step <= 12; step++) {
      const { reward, terminated, truncated } = corridor.step(step % 2 === 1 ? 1 : 3);
      expect([reward, terminated, truncated]).toEqual([-0.04, false, step === 12]);
    }
  });

  test("refuses an invalid grid, and a cell without a way to a goal", () => {
    expect(() => new MaskedGrid([])).toThrow("rows of equal length");
    expect(() => new MaskedGrid(["..", "G"])).toThrow("rows of equal length");
    expect(() => new MaskedGrid([".x", "G."])).toThrow("rows of equal length");
    expect(() => new MaskedGrid([".#G"])).toThrow("a way from every one");
    expect(() => new MaskedGrid([".P"])).toThrow("a way from every one");
    expect(() => new MaskedGrid(["G"])).toThrow("a free cell");
  });

  test("is learned: the optimal return from every start", async () => {
    const grid = new MaskedGrid();
    const agent = new DQN({
      observation: grid.observationSize,
      actions: 4,
      masked: true,
      hidden: [32],
      gamma: 0.9,
      learningRate: 2e-3,
      learningStarts: 100,
      trainEvery: 2,
      targetEvery: 50,
      tau: 1,
      epsilon: 0.5,
      seed: 1,
    });
    await train(agent, grid, { steps: 6000 });
    const best = grid.optimalValues(1);
    for (const [cell, seed] of seeds(grid)) {
      let observation: ArrayLike<number> = grid.reset(seed);
      let total = 0;
      for (;;) {
        const result = grid.step(agent.act(observation, grid.mask(), 0));
        observation = result.observation;
        total += result.reward;
        if (result.terminated || result.truncated) break;
      }
      expect(total, `from cell ${cell}`).toBeCloseTo(best[cell]!, 9);
    }
  });
});
