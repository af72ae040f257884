import { describe, expect, test } from "vitest";
import {
  between,
  boolean,
  distinct,
  entries,
  fields,
  finite,
  integer,
  list,
  moment,
  numbers,
  or,
  requireShape,
  type Shape,
  text,
  tuple,
  where,
} from "../../src/check/index.js";

const faultOf = (shape: Shape, value: unknown): string => {
  try {
    requireShape(shape, value, "file");
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    return (error as Error).message;
  }
  return "";
};

interface Row {
  name: string;
  times: number[];
  of?: { kind: string };
}

const ROW = fields<Row>({ name: text, times: list(moment, 1, 3), of: or(undefined, fields({ kind: text })) });

describe("a shape", () => {
  test.each<[string, Shape, unknown]>([
    ["a record", ROW, { name: "a", times: [1, 2] }],
    ["a record with its optional field", ROW, { name: "", times: [0], of: { kind: "x" } }],
    ["a rule", between(0, 1), 0.5],
    ["a tuple", tuple(text, integer(0, 9)), ["a", 9]],
    [
      "entries",
      entries(finite),
      [
        ["a", 1],
        ["b", 1],
      ],
    ],
    ["numbers", numbers(2), [1, -1e308]],
    ["null in place of a number", or(null, finite), null],
    ["a rule for the whole", where<number[]>(list(finite), (all) => all.length % 2 === 0, "pairs"), [1, 2]],
    ["different items", distinct(list(text)), ["a", "b"]],
  ])("takes %s", (_, shape, value) => {
    expect(faultOf(shape, value)).toBe("");
  });

  test.each<[Shape, unknown, string]>([
    [ROW, null, '"file" must be an object, got null'],
    [ROW, [], '"file" must be an object, got []'],
    [ROW, { times: [1] }, '"file.name" must be a string, got undefined'],
    [ROW, { name: "a", times: [1], more: 2 }, '"file.more" must be absent, got 2'],
    [ROW, JSON.parse('{"name":"a","times":[1],"__proto__":{}}'), '"file.__proto__" must be absent, got an object'],
    [ROW, { name: "a", times: [] }, '"file.times" must be an array of 1 to 3, got []'],
    [ROW, { name: "a", times: [1, 2, 3, 4] }, '"file.times" must be an array of 1 to 3, got [1, 2, 3, 4]'],
    [ROW, { name: "a", times: [1, "2"] }, '"file.times.1" must be in [-8640000000000000, 8640000000000000], got "2"'],
    [ROW, { name: "a", times: [1], of: {} }, '"file.of.kind" must be a string, got undefined'],
    [ROW, { name: "a", times: [1], of: null }, '"file.of" must be an object, got null'],
    [tuple(text, boolean), ["a"], '"file" must be an array of 2 to 2, got ["a"]'],
    [tuple(text, boolean), ["a", 1], '"file.1" must be true or false, got 1'],
    [
      entries(finite),
      [
        ["a", 1],
        ["a", 2],
      ],
      '"file" must be without an item twice, got [["a", 1], ["a", 2]]',
    ],
    [entries(finite), { a: 1 }, '"file" must be an array, got an object'],
    [
      entries(finite, 1),
      [
        ["a", 1],
        ["b", 2],
      ],
      '"file" must be an array of 0 to 1, got [["a", 1], ["b", 2]]',
    ],
    [numbers(2), [1, Number.POSITIVE_INFINITY], '"file.1" must be a finite number, got Infinity'],
    [numbers(2), [1, Number.NaN], '"file.1" must be a finite number, got NaN'],
    [or(null, finite), undefined, '"file" must be a finite number, got undefined'],
    [where<number[]>(list(finite), (all) => all.length % 2 === 0, "pairs"), [1], '"file" must be pairs, got [1]'],
  ])("refuses with the place of the first fault: %#", (shape, value, message) => {
    expect(faultOf(shape, value)).toBe(message);
  });

  test("does not take a field from a prototype", () => {
    expect(faultOf(ROW, Object.create({ name: "a", times: [1] }))).toContain("must be a string, got undefined");
    expect(faultOf(fields({ constructor: or(undefined, text) }), {})).toBe("");
  });

  test("shows only the start of large values", () => {
    expect(faultOf(text, new Array(1e5).fill(0)).length).toBeLessThan(80);
    expect(faultOf(finite, "x".repeat(1e5)).length).toBeLessThan(120);
  });
});
