import { expect, test } from "vitest";
import { Curve } from "../../src/cli/writing/curve.js";
import { collect } from "../../src/cli/writing/results.js";

test("a curve of a million points keeps some hundred of them, from the first to almost the last", () => {
  const curve = new Curve("loss", "updates");
  for (let i = 0; i < 1_000_000; i++) curve.add(i, i);
  const { plots, stop } = collect();
  curve.note();
  stop();
  const { values } = plots[0]!.x;
  expect(values.length).toBeLessThanOrEqual(512);
  expect(values[0]).toBe(0);
  expect(values.at(-1)).toBeGreaterThan(990_000);
  expect(plots[0]!.curves[0]!.values).toEqual(values);
  expect(curve.picture).toMatch(/^▁.*█$/);
});

test("what is not finite is left out, and a single point is no curve", () => {
  const curve = new Curve("loss", "updates");
  curve.add(0, Number.NaN);
  curve.add(1, 2);
  const { plots, stop } = collect();
  curve.note();
  stop();
  expect(plots).toEqual([]);
  expect(curve.picture).toBe("▁");
});
