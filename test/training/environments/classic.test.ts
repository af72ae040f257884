import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Acrobot, MountainCar } from "../../../src/index.js";

interface Fixture {
  cases: { start: number[]; actions: string; states: number[][] }[];
}

function cases(name: string): Fixture["cases"] {
  return (JSON.parse(readFileSync(`test/fixtures/${name}.json`, "utf8")) as Fixture).cases;
}

const ENVIRONMENTS = [
  {
    name: "mountaincar",
    make: () => new MountainCar(),
    limit: 200,
    start: [
      [-0.6, -0.4],
      [0, 0],
    ],
  },
  { name: "acrobot", make: () => new Acrobot(), limit: 500, start: Array<number[]>(4).fill([-0.1, 0.1]) },
];

describe.each(ENVIRONMENTS)("$name", ({ name, make, limit, start }) => {
  test("follows the committed trajectories to 1e-12, reward and termination included", () => {
    const ends = cases(name).map(({ start: from, actions, states }) => {
      const environment = make();
      environment.reset(0);
      environment.variables.set(from);
      let wasTerminated = false;
      states.forEach((expected, i) => {
        const { reward, terminated } = environment.step(Number(actions[i]));
        const state = expected.slice(0, environment.variables.length);
        for (const [d, x] of state.entries()) expect(Math.abs(environment.variables[d]! - x)).toBeLessThan(1e-12);
        expect([reward, terminated]).toEqual([expected.at(-2), expected.at(-1) === 1]);
        wasTerminated = terminated;
      });
      return wasTerminated;
    });
    expect(ends).toContain(true);
    expect(ends).toContain(false);
  });

  test("starts within its bounds, alike for a seed, and is truncated, not terminated, at its limit", () => {
    const environment = make();
    for (let seed = 0; seed < 200; seed++) {
      environment.reset(seed);
      start.forEach(([low, high], d) => {
        expect(environment.variables[d]).toBeGreaterThanOrEqual(low!);
        expect(environment.variables[d]).toBeLessThanOrEqual(high!);
      });
    }
    expect(Array.from(make().reset(7))).toEqual(Array.from(environment.reset(7)));
    for (let step = 1; step <= limit; step++) {
      const { terminated, truncated } = environment.step(1);
      expect([terminated, truncated]).toEqual([false, step === limit]);
    }
    expect(() => environment.step(1)).toThrow("reset() must be called");
  });
});

test("Acrobot observes cosines and sines of its angles, and its velocities", () => {
  const environment = new Acrobot();
  environment.reset(0);
  const { observation } = environment.step(2);
  const [a, b, u, v] = environment.variables;
  const expected = [Math.cos(a!), Math.sin(a!), Math.cos(b!), Math.sin(b!), u!, v!];
  expected.forEach((x, i) => {
    expect(observation[i]).toBeCloseTo(x, 6);
  });
});
