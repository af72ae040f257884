import { expect, test } from "vitest";
import { KILLS } from "./kills.js";
import { ROLLING } from "./rolling.js";
import { SPACE } from "./space.js";

const tell = (line: string) => console.log(line);

test.each([KILLS, ROLLING, SPACE])("$name: what was acknowledged stays, and is learned once", async (own) => {
  for (const { metric, value, most = value, least = value } of await own.run(own.few, 0, tell)) {
    expect(value, metric).toBeLessThanOrEqual(most);
    expect(value, metric).toBeGreaterThanOrEqual(least);
  }
});
