import { expect, test } from "vitest";
import { EventError, identityOf, type LiveEvent, type Receipt, takeEach } from "../../src/protocol/index.js";

const gift: LiveEvent = { kind: "gift", time: 5, user: "u", stream: "s", amount: 1 };
const same = (a: LiveEvent, b: LiveEvent) => String(identityOf(a).key) === String(identityOf(b).key);

test("without ids, all fields tell events apart, whatever their order", () => {
  expect(same(gift, { amount: 1, stream: "s", user: "u", time: 5, kind: "gift" })).toBe(true);
  const others: LiveEvent[] = [
    { ...gift, amount: 2 },
    { ...gift, time: 6 },
    { ...gift, user: "v" },
    { ...gift, stream: "t" },
    { ...gift, kind: "purchase" },
  ];
  for (const other of others) expect(same(gift, other)).toBe(false);
  const update: LiveEvent = { kind: "update", time: 5, stream: "s" };
  expect(same({ ...update, viewers: 5 }, { ...update, title: "5" })).toBe(false);
  expect(same({ ...update, tags: ["a", "b"] }, { ...update, tags: ["a,b"] })).toBe(false);
});

test("an id belongs to its sender; the content tells whether it is the same event", () => {
  const one = { ...gift, id: "1" };
  expect(same(one, { ...one, amount: 7 })).toBe(true);
  expect(identityOf(one).content).not.toBe(identityOf({ ...one, amount: 7 }).content);
  expect(identityOf(one)).toEqual(identityOf({ ...one }));
  expect(same(one, { ...one, user: "v" })).toBe(false);
  expect(same(one, { kind: "off_air", time: 5, stream: "s", id: "1" })).toBe(false);
});

test("each event has its receipt, and one that is refused keeps none of the others", () => {
  const taken: number[] = [];
  const refused = new EventError("time", "no");
  const taker = {
    feedback({ time }: LiveEvent): Receipt | undefined {
      if (time === 2) throw refused;
      taken.push(time);
      return time === 3 ? "late" : undefined;
    },
  };
  const events = [1, 2, 3, 4].map((time): LiveEvent => ({ ...gift, time }));
  expect(takeEach(taker, events)).toEqual(["taken", refused, "late", "taken"]);
  expect(taken).toEqual([1, 3, 4]);
  const broken = { feedback: () => expect.unreachable() };
  expect(() => takeEach(broken, events)).toThrow();
});
