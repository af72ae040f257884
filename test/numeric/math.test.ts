import { describe, expect, test } from "vitest";
import { cos, exp, expm1, log, log1p, pow, sigmoid, sin, tanh } from "../../src/numeric/math.js";
import { Random } from "../../src/numeric/random.js";

const MIN = 5e-324;

/** |got - want| / |want|; 0 where both are the same, NaN and signed zeros included. */
function relative(got: number, want: number): number {
  return Object.is(got, want) ? 0 : Math.abs(got - want) / Math.abs(want);
}

/** The largest relative error against the host over count points drawn from [lo, hi). */
function worst(ours: (x: number) => number, host: (x: number) => number, lo: number, hi: number, count = 40_000) {
  const random = new Random(7);
  let max = 0;
  for (let i = 0; i < count; i++) {
    const x = lo + (hi - lo) * random.uniform();
    const error = relative(ours(x), host(x));
    if (!(error <= max)) max = error;
  }
  return max;
}

/** sin(x) from BigInt arithmetic of 400 bits: a reference that no reduction error reaches. */
function exactSin(x: number): number {
  const bits = 400n;
  const one = 1n << bits;
  let pi = 0n;
  // Machin: pi = 16 atan(1/5) - 4 atan(1/239).
  for (const [factor, d] of [
    [16n, 5n],
    [-4n, 239n],
  ] as const) {
    let term = (factor * one) / d;
    for (let n = 1n, sign = 1n; term !== 0n; n += 2n, sign = -sign) {
      pi += (sign * term) / n;
      term /= d * d;
    }
  }
  const mantissa = BigInt(Math.round(x * 2 ** 40));
  expect(Number(mantissa) / 2 ** 40).toBe(x);
  const turn = 2n * pi;
  let r = (mantissa << (bits - 40n)) % turn;
  if (r > pi) r -= turn;
  let sum = 0n;
  let term = r;
  for (let n = 1n; term !== 0n; n += 2n) {
    sum += term;
    term = (-((term * r) >> bits) * r) / ((n + 1n) * (n + 2n)) / one;
  }
  return Number(sum >> (bits - 120n)) / 2 ** 120;
}

describe("exp", () => {
  test("agrees with the host to 4e-16 over its whole range", () => {
    expect(worst(exp, Math.exp, -708, 709.7)).toBeLessThan(4e-16);
    expect(worst(exp, Math.exp, -1, 1)).toBeLessThan(4e-16);
  });

  test("has the limits that IEEE arithmetic gives", () => {
    expect(exp(0)).toBe(1);
    expect(exp(-0)).toBe(1);
    expect(exp(Infinity)).toBe(Infinity);
    expect(exp(-Infinity)).toBe(0);
    expect(exp(Number.NaN)).toBeNaN();
    expect(exp(709.79)).toBe(Infinity);
    expect(exp(-745.2)).toBe(0);
    expect(relative(exp(709.782712893384), 1.797693134862273e308)).toBeLessThan(1e-12);
  });

  test("rounds subnormal results to the nearest", () => {
    for (let x = -745; x < -708; x += 0.37) expect(Math.abs(exp(x) - Math.exp(x))).toBeLessThanOrEqual(MIN);
  });

  test("expm1 keeps its digits near 0", () => {
    expect(worst(expm1, Math.expm1, -1e-5, 1e-5)).toBeLessThan(4e-16);
    expect(worst(expm1, Math.expm1, -2, 2)).toBeLessThan(1e-15);
    expect(worst(expm1, Math.expm1, -50, 50)).toBeLessThan(1e-15);
    expect(Object.is(expm1(-0), -0)).toBe(true);
    expect(expm1(-Infinity)).toBe(-1);
  });
});

describe("log", () => {
  test("agrees with the host to 4e-16 near 1, far from 1 and among the subnormals", () => {
    expect(worst(log, Math.log, 0.5, 2)).toBeLessThan(4e-16);
    expect(worst(log, Math.log, 0, 1e6)).toBeLessThan(4e-16);
    expect(worst(log, Math.log, 0, 1.7e308)).toBeLessThan(4e-16);
    expect(worst(log, Math.log, 0, 1e-308)).toBeLessThan(4e-16);
    expect(relative(log(MIN), Math.log(MIN))).toBeLessThan(4e-16);
  });

  test("has the limits that IEEE arithmetic gives", () => {
    expect(log(1)).toBe(0);
    expect(log(0)).toBe(-Infinity);
    expect(log(-0)).toBe(-Infinity);
    expect(log(-1)).toBeNaN();
    expect(log(Number.NaN)).toBeNaN();
    expect(log(Infinity)).toBe(Infinity);
  });

  test("log1p keeps its digits near 0", () => {
    expect(worst(log1p, Math.log1p, -1e-5, 1e-5)).toBeLessThan(4e-16);
    expect(worst(log1p, Math.log1p, -0.99, 10)).toBeLessThan(1e-15);
    expect(log1p(-1)).toBe(-Infinity);
    expect(log1p(-2)).toBeNaN();
    expect(log1p(Infinity)).toBe(Infinity);
    expect(Object.is(log1p(-0), -0)).toBe(true);
    expect(log1p(Number.NaN)).toBeNaN();
  });
});

describe("sin and cos", () => {
  test("agree with the host in absolute error to 2e-16 up to 1.6 million radians", () => {
    const random = new Random(3);
    for (const range of [1, 10, 1e3, 1e5, 1.6e6]) {
      for (let i = 0; i < 20_000; i++) {
        const x = range * (2 * random.uniform() - 1);
        if (Math.abs(sin(x) - Math.sin(x)) > 2.3e-16) expect.fail(`sin(${x})`);
        if (Math.abs(cos(x) - Math.cos(x)) > 2.3e-16) expect.fail(`cos(${x})`);
      }
    }
  });

  test("keep relative digits beside their zeros", () => {
    for (const n of [1, 2, 3, 355, 1000, 103993, 500000]) {
      const x = Math.round(n * Math.PI * 2 ** 30) / 2 ** 30;
      expect(relative(sin(x), exactSin(x))).toBeLessThan(4e-16);
    }
    expect(relative(sin(Math.PI), 1.2246467991473532e-16)).toBeLessThan(1e-15);
    expect(relative(cos(Math.PI / 2), 6.123233995736766e-17)).toBeLessThan(1e-15);
  });

  test("keep the sign of zero and refuse angles beyond their range", () => {
    expect(Object.is(sin(-0), -0)).toBe(true);
    expect(cos(0)).toBe(1);
    expect(sin(Infinity)).toBeNaN();
    expect(cos(Number.NaN)).toBeNaN();
    expect(() => sin(2e6)).toThrow('RangeError: "x" must be in [-1647099, 1647099], got 2000000'.slice(12));
  });
});

describe("tanh and sigmoid", () => {
  test("tanh agrees with the host to 1e-15 and saturates", () => {
    expect(worst(tanh, Math.tanh, -25, 25)).toBeLessThan(1e-15);
    expect(worst(tanh, Math.tanh, -1e-3, 1e-3)).toBeLessThan(1e-15);
    expect(tanh(Infinity)).toBe(1);
    expect(tanh(-Infinity)).toBe(-1);
    expect(Object.is(tanh(-0), -0)).toBe(true);
    expect(tanh(Number.NaN)).toBeNaN();
  });

  test("sigmoid is one half at 0, symmetric and bounded", () => {
    expect(sigmoid(0)).toBe(0.5);
    expect(sigmoid(800)).toBe(1);
    expect(sigmoid(-800)).toBe(0);
    for (let x = -30; x < 30; x += 0.7) expect(Math.abs(sigmoid(x) + sigmoid(-x) - 1)).toBeLessThan(3e-16);
  });
});

describe("pow", () => {
  test("agrees with the host to 1e-15 where the host is right to the last place", () => {
    const random = new Random(5);
    for (let i = 0; i < 40_000; i++) {
      const x = exp(40 * random.uniform() - 20);
      const y = 60 * random.uniform() - 30;
      if (relative(pow(x, y), x ** y) > 1e-15) expect.fail(`pow(${x}, ${y})`);
    }
  });

  test("is exact where the result is exact", () => {
    for (let n = -1074; n < 1024; n++) expect(pow(2, n)).toBe(2 ** n);
    for (let n = 0; n <= 22; n++) expect(pow(10, n)).toBe(Number(`1e${n}`));
    for (let n = 1; n < 3000; n++) expect(pow(n, 3)).toBe(n * n * n);
    for (let n = 1; n < 3000; n++) expect(pow(n * n, 0.5)).toBe(n);
  });

  test("stays accurate for a discount raised to many steps", () => {
    let product = 1n;
    const one = 10n ** 60n;
    // 0.99 as a double is not 0.99: take the double's own digits.
    const gamma = (BigInt(0.99 * 2 ** 53) * one) / 2n ** 53n;
    product = one;
    for (let n = 1; n <= 5000; n++) {
      product = (product * gamma) / one;
      const want = Number(product / 10n ** 20n) / 1e40;
      if (n % 97 === 0) expect(relative(pow(0.99, n), want)).toBeLessThan(4e-16);
    }
  });

  test("treats every special pair as Math.pow does", () => {
    const special = [0, -0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 1e300, -1e300, MIN, -MIN, Infinity, -Infinity, Number.NaN];
    for (const x of special) {
      for (const y of special) expect([x, y, relative(pow(x, y), x ** y) < 1e-15]).toEqual([x, y, true]);
    }
  });

  test("rounds subnormal results to the nearest and overflows to infinity", () => {
    for (let y = 1023; y < 1076; y += 0.31) {
      expect(Math.abs(pow(0.5, y) - 0.5 ** y)).toBeLessThanOrEqual(Math.max(MIN, 1e-15 * 0.5 ** y));
    }
    expect(pow(10, 309)).toBe(Infinity);
    expect(pow(10, -400)).toBe(0);
  });
});
