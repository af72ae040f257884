import { expect, test } from "vitest";
import { jsonSchemas } from "../../src/protocol/jsonschema.js";
import { liveq } from "../support/command.js";

test.each([
  ["events", "event"],
  ["requests", "request"],
  ["decisions", "decision"],
] as const)("liveq schema %s prints the schema of one", async (name, of) => {
  const { code, out, err } = await liveq("schema", name);
  expect([code, err]).toEqual([0, ""]);
  expect(JSON.parse(out)).toEqual((await jsonSchemas())[of]);
});

test("liveq schema prints all three under $defs, of draft 2020-12", async () => {
  const { code, out } = await liveq("schema");
  expect(code).toBe(0);
  const { $schema, $defs } = JSON.parse(out);
  expect($schema).toBe("https://json-schema.org/draft/2020-12/schema");
  expect(Object.keys($defs)).toEqual(["event", "request", "decision"]);
  const { $schema: _, ...event } = (await jsonSchemas()).event;
  expect($defs.event).toEqual(event);
});

test("liveq schema of something else is wrong usage", async () => {
  const { code, out, err } = await liveq("schema", "streams");
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain("Allowed choices are events, requests, decisions.");
});
