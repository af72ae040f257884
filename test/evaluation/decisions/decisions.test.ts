import { describe, expect, test } from "vitest";
import { RandomPolicy } from "../../../src/baselines/random.js";
import { completeLog, isEvent, type LogEntry, mergeDecisions } from "../../../src/evaluation/index.js";
import type { LiveEvent } from "../../../src/protocol/events.js";
import type { LoggedDecision } from "../../../src/protocol/schema.js";
import { simulate } from "../../../src/simulator/index.js";
import { all } from "../../support/pieces.js";

const reconstructed = (events: AsyncIterable<LiveEvent>) => completeLog(events, { onAir: "events" });

async function* stream<T>(values: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* values;
}

/** What happened and what was decided, in the order in which it did. */
function simulated(): LogEntry[] {
  const entries: LogEntry[] = [];
  simulate(
    new RandomPolicy(1),
    { viewers: 40, streamers: 50, days: 2, seed: 4 },
    { onEvent: (event) => entries.push(event), onDecision: (decision) => entries.push(decision) },
  );
  return entries;
}

const entries = simulated();
const events = entries.filter(isEvent);
const decisions = entries.filter((entry): entry is LoggedDecision => !isEvent(entry));

/** Those of which there are impressions, with what impressions tell. */
const shown = entries.flatMap((entry): LogEntry[] => {
  if (isEvent(entry)) return [entry];
  const { id, user, time, slate } = entry;
  return slate.length === 0 ? [] : [{ id, user, time, slate }];
});

test("events and decisions, kept apart, come together in the order in which they were made", async () => {
  expect(decisions.length).toBeGreaterThan(100);
  const last = events.at(-1)!.time;
  // One of which no event speaks has no place but before what is later.
  const withSlate = (entry: LogEntry) => isEvent(entry) || entry.slate.length > 0;
  const together = await all(mergeDecisions(stream(events), stream(decisions)));
  expect(together.filter(withSlate)).toEqual(entries.filter((entry) => withSlate(entry) && entry.time <= last));
});

test("decisions later than all events are left out", async () => {
  const cut = Math.floor(events.length / 2);
  const together = await all(mergeDecisions(stream(events.slice(0, cut)), stream(decisions)));
  const kept = together.filter((entry) => !isEvent(entry));
  expect(kept.length).toBeGreaterThan(20);
  expect(kept.every(({ time }) => time <= events[cut - 1]!.time)).toBe(true);
  expect(together.filter(isEvent)).toEqual(events.slice(0, cut));
});

describe("decisions taken from impressions", () => {
  test("equal the policy's decisions, each at its place", async () => {
    expect(await all(reconstructed(stream(events)))).toEqual(shown);
  });

  test("have the order of the page, not that in which impressions come, and end after a minute", async () => {
    const impression = (time: number, stream: string, position?: number): LiveEvent => {
      const event = { kind: "impression", time, user: "u", stream, decision: "d" } as const;
      return position === undefined ? event : { ...event, position };
    };
    const log = [impression(0, "b", 1), impression(9, "a", 0), impression(60_000, "c", 2), impression(60_001, "d", 3)];
    const out = await all(reconstructed(stream(log)));
    expect(out).toEqual([{ id: "d", user: "u", time: 0, slate: ["a", "b", "c"] }, ...log]);
    const unplaced = await all(reconstructed(stream([impression(0, "b"), impression(1, "a"), impression(2, "b")])));
    expect(unplaced[0]).toEqual({ id: "d", user: "u", time: 0, slate: ["b", "a"] });
    expect(unplaced.filter((entry) => !isEvent(entry))).toHaveLength(1);
  });
});
