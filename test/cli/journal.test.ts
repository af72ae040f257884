import { expect, test } from "vitest";
import { Journal, type JournalOptions, LEVELS } from "../../src/cli/serve/journal.js";

function journal(options: Partial<JournalOptions>): { journal: Journal; lines: string[] } {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  return { lines, journal: new Journal({ level: "info", format: "text", now: () => 1e12, ...options, write }) };
}

test("a journal writes what is as urgent as its level, and no more", () => {
  for (const [depth, level] of LEVELS.entries()) {
    const { journal: own, lines } = journal({ level });
    for (const one of LEVELS) own.tell(one, "event", one);
    expect(lines).toHaveLength(depth + 1);
    expect(LEVELS.map((one) => own.has(one))).toEqual(LEVELS.map((_, i) => i <= depth));
  }
});

test("lines are JSON, each with time, level, event and message, whatever they hold", () => {
  const { journal: own, lines } = journal({ format: "json" });
  own.tell("info", "model", 'line\n"two"', { version: 3, loss: Number.NaN, none: undefined });
  own.fail("failed", new RangeError("no\u2028"), { request: "r1" });
  expect(lines.join("").split("\n")).toHaveLength(3);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { time: "2001-09-09T01:46:40.000Z", level: "info", event: "model", message: 'line\n"two"', version: 3, loss: null },
    { time: "2001-09-09T01:46:40.000Z", level: "error", event: "failed", message: "no\u2028", request: "r1" },
  ]);
});

test("text stays on its line: what comes from outside forges none", () => {
  const { journal: own, lines } = journal({ level: "debug" });
  own.tell("warn", "odd", "a\r\nliveq: stopped\u2028\u001b[2J");
  own.tell("debug", "request", "", { route: "/v1/recommend", status: 200, id: "x\ny" });
  expect(lines).toEqual([
    "liveq: a\\u000d\\u000aliveq: stopped\\u2028\\u001b[2J\n",
    "liveq: request route=/v1/recommend status=200 id=x\\u000ay\n",
  ]);
});
