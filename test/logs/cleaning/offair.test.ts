import { expect, test } from "vitest";
import { cleanEvents } from "../../../src/logs/index.js";
import type { LiveEvent } from "../../../src/protocol/events.js";
import { all } from "../../support/pieces.js";

const click = (time: number, stream = "s"): LiveEvent => ({ kind: "click", time, user: "u", stream });
const onAir = (time: number): LiveEvent => ({ kind: "on_air", time, stream: "s", streamer: "r", category: "c" });
const clean = (log: LiveEvent[], options = {}) => all(cleanEvents(log, options));

test("a log without any on_air keeps what its users do", async () => {
  const log = [click(1), click(2), click(3, "t")];
  expect(await clean(log)).toEqual(log);
  expect(await clean(log, { offAir: "drop" })).toEqual([]);
});

test("one on_air among the first 4096 events says that what is not on air does not count", async () => {
  const first = Array.from({ length: 4000 }, (_, i) => click(i, "unknown"));
  expect(await clean([...first, onAir(5000), click(5001)])).toEqual([onAir(5000), click(5001)]);
});

test("an on_air after that changes nothing: memory is bounded", async () => {
  const first = Array.from({ length: 4096 }, (_, i) => click(i, "unknown"));
  const log = [...first, onAir(5000), click(5001)];
  expect(await clean(log)).toEqual(log);
});

test("what was cleaned so stays as it is", async () => {
  for (const log of [
    [click(1), onAir(2), click(3)],
    [click(1), click(2)],
  ]) {
    const once = await clean(log);
    expect(await clean(once as LiveEvent[])).toEqual(once);
  }
});
