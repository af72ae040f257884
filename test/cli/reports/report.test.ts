import { describe, expect, test } from "vitest";
import { barChart, lineChart, ticks } from "../../../src/cli/reports/charts.js";
import { type ReportContent, renderReport, sparkline, textBars } from "../../../src/cli/reports/index.js";

const CONTENT: ReportContent = {
  title: "liveq evaluate",
  verdicts: ["better than most popular by 12 % [8, 16]"],
  plots: [
    {
      title: "loss",
      x: { label: "updates", values: [1, 2, 3] },
      curves: [{ name: "held out", values: [3, Number.NaN, 1] }],
    },
  ],
  listings: [
    {
      title: "What was read",
      header: ["reason", "rows"],
      rows: [
        ["kept", 90],
        ["late", 10],
      ],
    },
  ],
  rows: [
    { case: "dqn/all", metric: "ndcg_at_10", value: 0.3, unit: "1", lo: 0.2, hi: 0.4, n: 10 },
    { case: "popular/all", metric: "ndcg_at_10", value: 0.1, unit: "1" },
  ],
  options: { seed: 1, out: "a b.html" },
  line: ["evaluate", "--out", "a b's.html"],
  place: { version: "0.1.0", commit: "abc" },
};

describe("a report", () => {
  test("says what the figures mean, shows each with its interval, and how to repeat it", () => {
    const html = renderReport(CONTENT);
    for (const part of ["better than most popular by 12 % [8, 16]", "0.300 [0.200, 0.400]", "What was read", "0.1.0"]) {
      expect(html).toContain(part);
    }
    expect(html).toContain("liveq evaluate --out &#39;a b&#39;\\&#39;&#39;s.html&#39;");
  });

  test("loads nothing and runs nothing", () => {
    const html = renderReport(CONTENT);
    expect(html).not.toMatch(/<script|<link|<img|@import|url\(|\son\w+=|https?:/i);
    expect(html).toContain("default-src 'none'");
  });

  test("what a log says does not become markup", () => {
    const evil = `<script>alert("1")</script>'&`;
    const html = renderReport({
      title: evil,
      verdicts: [evil],
      plots: [{ title: evil, x: { label: evil, values: [1] }, curves: [{ name: evil, values: [1] }] }],
      listings: [{ title: evil, header: [evil], rows: [[evil]] }],
      rows: [{ case: evil, metric: evil, value: 1, unit: evil }],
      options: { [evil]: evil },
      line: [evil],
      place: { [evil]: evil },
    });
    expect(html).not.toContain("<script");
    expect(html).not.toMatch(/[^&]'\)?<\/script/);
  });

  test("is the same for the same content, and of nothing still a page", () => {
    expect(renderReport(CONTENT)).toBe(renderReport(CONTENT));
    const empty = { title: "x", verdicts: [], plots: [], listings: [], rows: [], options: {}, line: [], place: {} };
    expect(renderReport(empty)).toContain("To repeat it");
  });
});

describe("charts", () => {
  test.each([
    [0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [-3, 7, [-2, 0, 2, 4, 6]],
    [5, 5, [5]],
    [0, 1e6, [0, 200000, 400000, 600000, 800000, 1000000]],
  ])("ticks from %d to %d are round", (low, high, expected) => {
    expect(ticks(low, high)).toEqual(expected);
  });

  test("a bar is as long as its value, and lies on the other side of 0 below it", () => {
    const chart = barChart("x", [
      { name: "a", value: 2 },
      { name: "b", value: -2 },
    ]);
    const widths = [...chart.matchAll(/class="bar" x="([\d.]+)" y="\d+" width="([\d.]+)"/g)].map(([, x, w]) => [
      Number(x),
      Number(w),
    ]);
    expect(widths[0]![1]).toBeCloseTo(widths[1]![1]!, 0);
    expect(widths[1]![0]! + widths[1]![1]!).toBeCloseTo(widths[0]![0]!, 0);
  });

  test.each([[[]], [[Number.NaN]], [[1]], [[Number.POSITIVE_INFINITY, 1]], [[1, 1, 1]]])(
    "values %j give no NaN in a picture",
    (values) => {
      const x = { label: "x", values: values.map((_, i) => i) };
      expect(lineChart("t", x, [{ name: "a", values }])).not.toMatch(/NaN|Infinity/);
      expect(
        barChart(
          "t",
          values.map((value) => ({ name: "a", value, lo: value, hi: value })),
        ),
      ).not.toMatch(/="[^"]*(NaN|Infinity)/);
    },
  );

  test("a curve of a million points becomes one of some hundred", () => {
    const values = Array.from({ length: 1_000_000 }, (_, i) => i);
    const chart = lineChart("t", { label: "x", values }, [{ name: "a", values }]);
    expect(chart.length).toBeLessThan(20_000);
  });
});

describe("in the terminal", () => {
  test("a sparkline rises and falls with its values", () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe("▁▂▃▄▅▆▇█");
    expect(sparkline([5, 5])).toBe("▁▁");
    expect(sparkline([])).toBe("");
    expect(sparkline([Number.NaN])).toBe("");
    expect(
      sparkline(
        Array.from({ length: 1000 }, (_, i) => i),
        10,
      ),
    ).toHaveLength(10);
  });

  test("bars of text are in proportion, with intervals behind", () => {
    const lines = textBars(
      [
        { name: "dqn", value: 2, lo: 1, hi: 3 },
        { name: "popular", value: 1 },
        { name: "none", value: -1 },
      ],
      8,
    );
    expect(lines[0]).toBe("dqn      ████████  2 [1, 3]");
    expect(lines[1]).toBe("popular  ████      1");
    expect(lines[2]).toBe("none               -1");
  });
});
