import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { MountainCarContinuous, Pendulum } from "../../../src/index.js";

interface Fixture {
  cases: { start: number[]; actions: number[]; states: number[][] }[];
}

const PI = Math.PI;
const ENVIRONMENTS = [
  {
    name: "pendulum",
    make: () => new Pendulum(),
    limit: 200,
    tolerance: 1e-11,
    start: [[-PI, PI] as const, [-1, 1] as const],
  },
  {
    name: "mountaincarcontinuous",
    make: () => new MountainCarContinuous(),
    limit: 999,
    // To the bit: Gymnasium's own numbers are f32.
    tolerance: 0,
    start: [[-0.6000001, -0.4] as const, [0, 0] as const],
  },
];

describe.each(ENVIRONMENTS)("$name", ({ name, make, limit, tolerance, start }) => {
  const { cases } = JSON.parse(readFileSync(`test/fixtures/${name}.json`, "utf8")) as Fixture;

  test("follows the trajectories of Gymnasium, reward and termination included", () => {
    for (const { start: from, actions, states } of cases) {
      const environment = make();
      environment.reset(0);
      environment.variables.set(from);
      states.forEach((expected, i) => {
        const { reward, terminated } = environment.step([actions[i]!]);
        const own = [...environment.variables, reward];
        own.forEach((x, d) => {
          expect(Math.abs(x - expected[d]!), `step ${i}`).toBeLessThanOrEqual(tolerance);
        });
        expect(terminated).toBe(expected.at(-1) === 1);
      });
    }
    const ends = cases.map(({ states }) => states.at(-1)!.at(-1));
    expect(ends).toContain(0);
    if (name === "mountaincarcontinuous") expect(ends).toContain(1);
  });

  test("starts within its bounds, alike for a seed, and is truncated, not terminated, at its limit", () => {
    const environment = make();
    for (let seed = 0; seed < 200; seed++) {
      environment.reset(seed);
      start.forEach(([low, high], d) => {
        expect(environment.variables[d]).toBeGreaterThanOrEqual(low);
        expect(environment.variables[d]).toBeLessThanOrEqual(high);
      });
    }
    expect(Array.from(make().reset(7))).toEqual(Array.from(environment.reset(7)));
    for (let step = 1; step <= limit; step++) {
      const { terminated, truncated } = environment.step([0]);
      expect([terminated, truncated]).toEqual([false, step === limit]);
    }
    expect(() => environment.step([0])).toThrow("reset() must be called");
  });

  test("refuses an action that is not one finite number", () => {
    const environment = make();
    environment.reset(0);
    expect(() => environment.step(undefined as never)).toThrow('"action" must be an array of one number');
    expect(() => environment.step([])).toThrow('"action" must hold 1 number, got 0');
    expect(() => environment.step([Number.NaN])).toThrow('"action[0]" must be a finite number, got NaN');
  });
});

test("Pendulum observes cosine and sine of its angle, and its velocity", () => {
  const environment = new Pendulum();
  environment.reset(0);
  const { observation } = environment.step([1]);
  const [angle, velocity] = environment.variables;
  [Math.cos(angle!), Math.sin(angle!), velocity!].forEach((x, i) => {
    expect(observation[i]).toBeCloseTo(x, 6);
  });
});
