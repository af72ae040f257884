import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonSchemas } from "../../src/protocol/jsonschema.js";
import { fieldsOf, KINDS, parseDecision, parseEvent, parseRequest } from "../../src/protocol/schema.js";

const schemas = await jsonSchemas();
const ajv = new Ajv2020({ strictTuples: false });
const validators = {
  event: ajv.compile(schemas.event),
  request: ajv.compile(schemas.request),
  decision: ajv.compile(schemas.decision),
};

function takes(parse: (value: unknown) => unknown, value: unknown): boolean {
  try {
    parse(value);
    return true;
  } catch {
    return false;
  }
}

/** Values near valid fields: names, numbers, lists, and values that fit nowhere. */
const value = fc.oneof(
  fc.constantFrom<unknown>("a", "", "x".repeat(256), "x".repeat(257), "x".repeat(1024), "x".repeat(1025)),
  fc.constantFrom<unknown>(0, -1, 1, 0.5, 1.5, 150, 151, -1e-9, 2 ** 53 - 1, 2 ** 53, 1e300),
  fc.constantFrom<unknown>([], ["a"], ["a", "a"], ["a", "b"], [1], [0.5, 1], [0], [""], Array(33).fill("t"), [null]),
  fc.constantFrom<unknown>(null, true, false, {}, { text: [1] }, { text: [] }, { video: [1] }, { image: [1e7] }),
  fc.constantFrom<unknown>({ categories: { include: ["a"] } }, { minViewers: -1 }, { exclude: ["a"] }, ["popular"]),
);

const SAMPLES: Record<string, unknown> = {
  ...{ time: 1, id: "e", user: "u", stream: "s", streamer: "ann", category: "chess", tags: ["blitz"], title: "t" },
  ...{ description: "d", language: "en", mature: true, embeddings: { text: [0.5] }, viewers: 3, likes: 2 },
  ...{
    decision: "d",
    position: 0,
    watchMs: 5,
    rating: 0.5,
    amount: 1,
    name: "n",
    value: -1,
    dwellMs: 9,
    page: "front",
    age: 30,
  },
  ...{ gender: "f", region: "NO", device: "phone", friend: "v" },
};

/** An object of such fields, some omitted, some of another value, perhaps with one more. */
function near(sample: Record<string, unknown>) {
  const fields = Object.keys(sample);
  const change = fc.record({ field: fc.constantFrom(...fields, "extra"), value });
  return fc
    .record({ dropped: fc.subarray(fields), isWhole: fc.boolean(), changes: fc.array(change, { maxLength: 2 }) })
    .map(({ dropped, isWhole, changes }) => {
      const kept = Object.entries(sample).filter(([field]) => isWhole || !dropped.includes(field));
      return Object.fromEntries([...kept, ...changes.map((each) => [each.field, each.value])]);
    });
}

const sampleOf = (kind: string) => ({
  kind,
  ...Object.fromEntries(fieldsOf(kind).map((name) => [name, SAMPLES[name]])),
});
const REQUEST = { user: "u", now: 1, k: 3, candidates: ["a", "b"], filter: { languages: ["en"], mature: true } };
// The lists of decisions are tested elsewhere: JSON Schema cannot express their length.
const DECISION = { id: "d", user: "u", time: 1, slate: ["a", "b"] };

describe("JSON Schema", () => {
  test("has every kind of event, each with its fields", () => {
    const kinds = (
      schemas.event.oneOf as { properties: Record<string, { const?: string; enum?: string[] }> }[]
    ).flatMap(({ properties: { kind, ...fields } }) =>
      (kind!.enum ?? [kind!.const!]).map((each) => [each, Object.keys(fields)] as const),
    );
    expect(kinds.map(([kind]) => kind).sort()).toEqual([...KINDS].sort());
    for (const [kind, fields] of kinds) expect(fields).toEqual(fieldsOf(kind));
  });

  test.each(KINDS)("accepts for %s exactly what parseEvent accepts", (kind) => {
    const sample = sampleOf(kind);
    expect([takes(parseEvent, sample), validators.event(sample)]).toEqual([true, true]);
    let taken = 0;
    const agree = (event: object) => {
      const isTaken = takes(parseEvent, event);
      taken += Number(isTaken);
      expect(validators.event(event)).toBe(isTaken);
    };
    fc.assert(fc.property(near(sample), agree), { numRuns: 300, seed: 1 });
    expect(taken).toBeGreaterThan(20);
    expect(taken).toBeLessThan(280);
  });

  test.each([
    ["request", parseRequest, REQUEST],
    ["decision", parseDecision, DECISION],
  ] as const)("takes of a %s what its parser takes, and nothing else", (name, parse, sample) => {
    const agree = (given: object) => {
      expect(validators[name](given)).toBe(takes(parse, given));
    };
    expect(takes(parse, sample)).toBe(true);
    fc.assert(fc.property(near(sample), agree), { numRuns: 1000, seed: 1 });
  });

  test("takes more than the parsers in two ways alone: by characters beyond 16 bits, and by lists of a decision", () => {
    const long = { ...sampleOf("click"), user: "\u{1f600}".repeat(200) };
    expect([takes(parseEvent, long), validators.event(long)]).toEqual([false, true]);
    const short = { ...DECISION, propensities: [0.5] };
    expect([takes(parseDecision, short), validators.decision(short)]).toEqual([false, true]);
    const full = { ...DECISION, propensities: [0.5, 1], scores: [-1, 2], sources: ["popular", "all"] };
    expect([takes(parseDecision, full), validators.decision(full)]).toEqual([true, true]);
  });

  test("describes each field by the requirement in its error message", () => {
    const [onAir] = schemas.event.oneOf as { properties: Record<string, { description?: string }> }[];
    const { kind, ...fields } = onAir!.properties;
    for (const [field, { description }] of Object.entries(fields)) {
      expect(() => parseEvent({ ...sampleOf("on_air"), [field]: Symbol() }), field).toThrow(
        `must be ${description}, got`,
      );
    }
  });

  test("its converter is loaded when a schema is asked for, and no door but the server's names it", () => {
    const seen = new Set<string>();
    const follow = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      const code = readFileSync(file, "utf8");
      expect(code, file).not.toMatch(/^import .*to-json-schema/m);
      for (const [, next] of code.matchAll(/(?:from|import) "(\.[^"]+)"/g)) follow(join(file, "..", next!));
    };
    const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
    const doors = Object.values<{ default?: string }>(exports).flatMap(({ default: file }) => file ?? []);
    for (const file of doors) follow(file);
    const own = new Set(seen);
    seen.clear();
    for (const file of doors.filter((name) => !name.includes("/server/"))) follow(file);
    for (const file of seen) expect(readFileSync(file, "utf8"), file).not.toContain("to-json-schema");
    expect(own.size).toBeGreaterThan(seen.size);
    follow("dist/cli/liveq.js");
  });
});
