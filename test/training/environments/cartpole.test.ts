import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CartPole } from "../../../src/index.js";

interface Fixture {
  cases: { start: number[]; actions: string; states: number[][] }[];
}

const { cases } = JSON.parse(readFileSync("test/fixtures/cartpole.json", "utf8")) as Fixture;

test("follows the committed trajectories to 1e-13, termination included", () => {
  for (const { start, actions, states } of cases) {
    const environment = new CartPole();
    environment.reset(0);
    environment.variables.set(start);
    states.forEach((expected, i) => {
      const { observation, reward, terminated } = environment.step(Number(actions[i]));
      for (let d = 0; d < 4; d++) {
        expect(Math.abs(environment.variables[d]! - expected[d]!)).toBeLessThan(1e-13);
        expect(observation[d]).toBe(Math.fround(environment.variables[d]!));
      }
      expect(reward).toBe(1);
      expect(terminated).toBe(expected[4] === 1);
    });
  }
});

test("starts uniformly within 0.05, alike for a seed, and by the next seed without one", () => {
  const environment = new CartPole();
  const first = Array.from(environment.reset(3));
  const second = Array.from(environment.reset());
  expect(Array.from(environment.reset(3))).toEqual(first);
  expect(Array.from(new CartPole().reset(4))).toEqual(second);
  const all = Array.from({ length: 2000 }, (_, seed) => environment.reset(seed)[2]!);
  expect(Math.max(...all.map(Math.abs))).toBeLessThanOrEqual(0.05);
  expect(Math.abs(all.reduce((sum, x) => sum + x, 0) / all.length)).toBeLessThan(0.003);
});

test("truncates, and does not terminate, after 500 steps", () => {
  const environment = new CartPole();
  environment.reset(0);
  let steps = 0;
  for (;;) {
    // Held upright by hand.
    environment.variables.fill(0);
    const { terminated, truncated } = environment.step(steps++ % 2);
    expect(terminated).toBe(false);
    if (truncated) break;
  }
  expect(steps).toBe(500);
  expect(() => environment.step(0)).toThrow("reset() must be called");
  expect(() => environment.step(2)).toThrow('"action" must be an integer in [0, 1], got 2');
});
