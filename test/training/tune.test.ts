import { describe, expect, test } from "vitest";
import { Random } from "../../src/numeric/random.js";
import { checkSpace, drawPoint, gridOf, type SearchSpace } from "../../src/training/tune/space.js";
import { type TuneOptions, type TuneTask, tune } from "../../src/training/tune/tune.js";

const SPACE = { x: { min: -1, max: 3 }, n: { min: 1, max: 3, integer: true }, kind: ["a", "b"] } as const;

/** Highest at x = 1, kind b; a small budget adds an error that depends on the point. */
function score({ point, budget }: TuneTask<typeof SPACE>): number {
  const { x, n, kind } = point;
  return -(x - 1) * (x - 1) + (kind === "b" ? 0.1 : 0) + (1 - budget) * 0.01 * n;
}

describe("a search space", () => {
  test.each<[unknown, string]>([
    [[], '"space" must be an object with a list or a range for each name, got []'],
    [{}, '"space" must be an object with a list or a range for each name, got an object'],
    [{ a: [] }, '"space.a" must be a list of at least one value, got []'],
    [{ a: [1, 2, 1] }, '"space.a[2]" must be another value than the earlier ones, got 1'],
    [{ a: 3 }, '"space.a" must be a list of values, or { min, max, log?, integer? }, got 3'],
    [{ a: { min: 0, max: 1, step: 2 } }, '"space.a.step" is not known; a range has min, max, log, integer'],
    [{ a: { max: 1 } }, '"space.a.min" must be a finite number, got undefined'],
    [{ a: { min: 0, max: Number.NaN } }, '"space.a.max" must be a finite number, got NaN'],
    [{ a: { min: 0.5, max: 2, integer: true } }, '"space.a.min" must be an integer, got 0.5'],
    [{ a: { min: 2, max: 2 } }, '"space.a.max" must be above min, 2, got 2'],
    [{ a: { min: 0, max: 2, log: true } }, '"space.a.min" must be above 0 where log is true, got 0'],
    [{ a: { min: 1, max: 2, log: "yes" } }, '"space.a.log" must be true or false, got "yes"'],
  ])("%j is refused by its path", (space, message) => {
    expect(() => checkSpace(space)).toThrow(message);
  });

  test("draws numbers evenly, whole numbers as often at the bounds, ratios evenly where log is true", () => {
    const random = Random.named(1, "test");
    const space: SearchSpace = {
      even: { min: 0, max: 4 },
      whole: { min: 1, max: 4, integer: true },
      ratio: { min: 1e-4, max: 1, log: true },
      listed: [[1], [2]],
    };
    const points = Array.from({ length: 8000 }, () => drawPoint(space, random));
    const share = (holds: (point: Record<string, unknown>) => boolean) => points.filter(holds).length / points.length;
    // Four standard errors of a share of a quarter or a half are below .023.
    for (let i = 0; i < 4; i++) {
      expect(share(({ even }) => Math.floor(even as number) === i)).toBeCloseTo(0.25, 1);
      expect(Math.abs(share(({ whole }) => whole === i + 1) - 0.25)).toBeLessThan(0.023);
      expect(Math.abs(share(({ ratio }) => Math.ceil(Math.log10(ratio as number)) === -i) - 0.25)).toBeLessThan(0.023);
    }
    expect(Math.abs(share(({ listed }) => (listed as number[])[0] === 1) - 0.5)).toBeLessThan(0.023);
  });

  test("has a grid of all combinations, both bounds of a range among them", () => {
    const points = gridOf(SPACE, 3);
    expect(points).toHaveLength(3 * 3 * 2);
    expect(new Set(points.map(({ x }) => x))).toEqual(new Set([-1, 1, 3]));
    expect(points[0]).toEqual({ x: -1, n: 1, kind: "a" });
    expect(points[1]).toEqual({ x: -1, n: 1, kind: "b" });
    // Of three whole numbers no more than three.
    expect(new Set(gridOf({ n: SPACE.n }, 9).map(({ n }) => n))).toEqual(new Set([1, 2, 3]));
    const large = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`a${i}`, { min: 0, max: 1 }]));
    expect(() => gridOf(large, 4)).toThrow('"space" must have at most 100000 combinations');
  });
});

describe("tune", () => {
  test("finds the best point of a grid", async () => {
    const { best, trials, isComplete } = await tune(score, { space: SPACE, search: "grid", steps: 3 });
    expect([best!.point, best!.value, isComplete]).toEqual([{ x: 1, n: 1, kind: "b" }, 0.1, true]);
    expect(trials.map(({ id }) => id)).toEqual(Array.from({ length: 18 }, (_, i) => i));
  });

  test("tries the same points for the same seed, and more trials do not change the earlier ones", async () => {
    const points = async (options: Partial<TuneOptions<typeof SPACE>>) => {
      const { trials } = await tune(score, { space: SPACE, seed: 3, ...options });
      return trials.map(({ point }) => point);
    };
    const first = await points({ trials: 8 });
    expect(await points({ trials: 20 })).toEqual([...first, ...(await points({ trials: 20 })).slice(8)]);
    expect(await points({ trials: 8, seed: 4 })).not.toEqual(first);
    expect((await points({ trials: 3, first: [{ kind: "a" }] })).slice(0, 2)).toEqual([{ kind: "a" }, first[0]]);
  });

  test("ends when a small space has no further point", async () => {
    const { trials } = await tune(() => 0, { space: { kind: ["a", "b"] }, trials: 50 });
    expect(trials.map(({ point }) => point["kind"]).sort()).toEqual(["a", "b"]);
  });

  test("halving gives all a ninth of the budget, the best third a third, and their best third all", async () => {
    const seen: TuneTask<typeof SPACE>[] = [];
    const { best, trials } = await tune(
      (task) => {
        seen.push(task);
        return score(task);
      },
      { space: SPACE, search: "halving", trials: 18, seed: 1 },
    );
    const budgets = seen.map(({ budget }) => budget);
    expect(budgets).toEqual([...Array(18).fill(1 / 9), ...Array(6).fill(1 / 3), 1, 1]);
    const passed = trials.slice(18, 24).map(({ id }) => id);
    const lowest = trials.slice(0, 18).sort((a, b) => b.value - a.value);
    expect(new Set(passed)).toEqual(new Set(lowest.slice(0, 6).map(({ id }) => id)));
    expect(best!.budget).toBe(1);
    expect(best!.value).toBe(Math.max(...trials.slice(24).map(({ value }) => value)));
  });

  test("any number of jobs gives the same result, whichever trial ends first", async () => {
    const late = async (task: TuneTask<typeof SPACE>) => {
      await new Promise((resolve) => setTimeout(resolve, (task.id * 7) % 5));
      return score(task);
    };
    const options = { space: SPACE, search: "halving", trials: 12 } as const;
    const alone = await tune(score, options);
    expect(await tune(late, { ...options, jobs: 5 })).toEqual(alone);
  });

  test("a trial that throws or scores NaN fails alone; where all fail, the error is thrown", async () => {
    const { best, trials } = await tune(
      ({ point }) => {
        if (point.kind === "b") throw new Error("no b");
        return point.n === 2 ? Number.NaN : 1;
      },
      { space: SPACE, search: "grid", steps: 3 },
    );
    expect(best!.point).toEqual({ x: -1, n: 1, kind: "a" });
    expect(trials.filter(({ error }) => error !== undefined)).toHaveLength(12);
    const all = tune(() => Number.NaN, { space: SPACE, trials: 2 });
    await expect(all).rejects.toThrow("the score of trial 1 is NaN");
  });

  test("the signal begins no further trial, and what ended counts", async () => {
    const stop = new AbortController();
    const options = { space: SPACE, trials: 9, signal: stop.signal } as const;
    const { best, trials, isComplete } = await tune((task) => {
      if (task.id === 3) stop.abort();
      return score(task);
    }, options);
    expect([trials.length, isComplete]).toEqual([4, false]);
    expect(best!.value).toBe(Math.max(...trials.map(({ value }) => value)));
    expect(await tune(score, options)).toEqual({ best: undefined, trials: [], isComplete: false });
  });

  test.each<[object, string]>([
    [{ search: "best" }, '"search" must be "random" or "grid" or "halving", got "best"'],
    [{ trials: 0 }, '"trials" must be an integer >= 1, got 0'],
    [{ eta: 1 }, '"eta" must be an integer in [2, 16], got 1'],
    [{ first: [{ y: 1 }] }, '"first" must be points with names of the space, got "y"'],
    [{ points: 1 }, '"points" is not an option'],
  ])("%j is refused", async (options, message) => {
    await expect(tune(() => 0, { space: SPACE, ...options })).rejects.toThrow(message);
  });
});
