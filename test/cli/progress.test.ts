import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { amount, Progress } from "../../src/cli/reports/progress.js";

/** A stream that keeps what it is given, and a clock that is set by hand. */
function stage(isTTY: boolean) {
  const written: string[] = [];
  const clock = { ms: 1000 };
  const stream = { isTTY, columns: 60, write: (text: string) => written.push(text) };
  return { written, clock, progress: new Progress("events", stream, () => clock.ms) };
}

beforeEach(() => void vi.stubEnv("TERM", "xterm"));
afterEach(() => void vi.unstubAllEnvs());

describe("on a terminal", () => {
  test("one line is redrawn, ten times a second at most, and ended", () => {
    const { written, clock, progress } = stage(true);
    progress.show({ count: 0, fraction: 0 });
    clock.ms += 99;
    progress.show({ count: 1, fraction: 0.01 });
    clock.ms += 1;
    progress.show({ count: 2, fraction: 0.02 });
    progress.end();
    expect(written).toEqual([
      "\r\x1b[K  0 %  0:00 gone",
      "\r\x1b[K  2 %  20 events/s  0:00 gone  0:05 left",
      "\r\x1b[K",
    ]);
  });

  test("shows rate, time gone, time left and further text, within the width", () => {
    const { written, clock, progress } = stage(true);
    clock.ms += 90_000;
    progress.show({ count: 4_500_000, fraction: 0.25, text: "loss 0.1234 and more than fits in the line" });
    expect(written).toHaveLength(1);
    expect(written[0]).toBe("\r\x1b[K 25 %  50 k events/s  1:30 gone  4:30 left  loss 0.1234 and");
    expect(written[0]!.length - "\r\x1b[K".length).toBe(59);
  });
});

test("a terminal that cannot redraw gets plain lines", () => {
  vi.stubEnv("TERM", "dumb");
  const { written, progress } = stage(true);
  progress.show({ count: 0, fraction: 0 });
  progress.end();
  expect(written).toEqual(["  0 %  0:00 gone\n"]);
});

describe("elsewhere", () => {
  test("a plain line every 10 s, or every 10 % that take at least a second", () => {
    const { written, clock, progress } = stage(false);
    const seconds: number[] = [];
    for (let s = 0; s <= 200; s++) {
      clock.ms = 1000 + 1000 * s;
      // Slow at first, then a tenth every 5 s, then all at once.
      const fraction = s < 100 ? s / 1000 : Math.min(1, 0.1 + (s - 100) / 50);
      const before = written.length;
      progress.show({ count: s, fraction });
      progress.show({ count: s, fraction });
      if (written.length > before) seconds.push(s);
    }
    expect(seconds.slice(0, 11)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    expect(seconds.slice(11, 20)).toEqual([105, 110, 115, 120, 125, 130, 135, 140, 145]);
    expect(seconds.slice(20)).toEqual([155, 165, 175, 185, 195]);
    for (const line of written) {
      expect(line.indexOf("\n")).toBe(line.length - 1);
      expect(line.includes("\x1b") || line.includes("\r")).toBe(false);
    }
    progress.end();
    expect(written).toHaveLength(seconds.length);
  });

  test("of a source of unknown size shows amount and rate", () => {
    const { written, clock, progress } = stage(false);
    clock.ms += 3_723_000;
    progress.show({ count: 7_446_000, text: "reading" });
    expect(written).toEqual(["7.45 M events  2 k events/s  1:02:03 gone  reading\n"]);
  });
});

test.each([
  [0, "events", "0 events"],
  [7, "events", "7 events"],
  [999, "B", "999 B"],
  [999.6, "B", "1.00 kB"],
  [1250, "events", "1.25 k events"],
  [45_600_000, "B", "45.6 MB"],
  [930e9, "B", "930 GB"],
  [0.123, "events", "0.12 events"],
])("%d %s are %s", (value, unit, text) => {
  expect(amount(value, unit)).toBe(text);
});
