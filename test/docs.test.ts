import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { blocksIn, filled, tableOf, withoutRange } from "./docs/markdown.js";
import { optionsOf, optionsTable, wrongDefaults } from "./docs/options.js";
import { INTERFACES, OPTIONS, optionsIn, PLACES, readmeOf, referenceOf, roomsWithReadme } from "./docs/reference.js";
import { Interfaces, readSource } from "./docs/sources.js";

const STALE = "is stale; run `npm run docs` and commit what it writes";

describe("the reference in the READMEs of src", () => {
  test.each(roomsWithReadme())("%s is what the code says", (room) => {
    const { before, after } = referenceOf(room);
    expect(before === after, `${readmeOf(room)} ${STALE}`).toBe(true);
  });

  test("has its places", () => {
    expect(Object.keys(PLACES).filter((room) => !roomsWithReadme().includes(room))).toEqual([]);
  });

  test("has, in every room with options and a README, a place for them", () => {
    for (const room of roomsWithReadme()) {
      const hasPlace = blocksIn(readFileSync(readmeOf(room), "utf8")).includes("options");
      expect(hasPlace, `${readmeOf(room)} needs <!-- generated: options --> and <!-- end -->`).toBe(
        optionsIn(room).length > 0,
      );
    }
  });

  test("gives the defaults that TSDoc states in words", () => {
    expect(OPTIONS.length).toBeGreaterThan(30);
    expect(wrongDefaults(OPTIONS, INTERFACES)).toEqual([]);
  });

  test("the example of the protocol's README prints what its comments say", () => {
    const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(readmeOf("protocol"), "utf8"))![1]!;
    const said = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, text]) => `${text}\n`).join("");
    const words = ["--input-type=module", "-e", example];
    expect(execFileSync(process.execPath, words, { encoding: "utf8" })).toBe(said);
  });
});

describe("the generator", () => {
  const FIXTURE = "test/docs/fixture.ts";
  const text = readSource(FIXTURE);
  const fixture = async (source: string) => {
    const read = (file: string) => (file.endsWith(FIXTURE) ? source : readSource(file));
    const all = await optionsOf([FIXTURE], read);
    return { all, interfaces: new Interfaces([FIXTURE], read) };
  };

  test("takes ranges and defaults from the table that the code checks with, and sentences from TSDoc", async () => {
    const { all, interfaces } = await fixture(text);
    expect(all.map(({ name, path }) => [name, path])).toEqual([["ShopOptions", "shop."]]);
    expect(optionsTable(all[0]!, interfaces).split("\n")).toEqual([
      "| Option | Meaning | Must be | Default |",
      "| --- | --- | --- | --- |",
      "| `shop.seats` | Seats for guests. | an integer in [1, 100] | `12` |",
      "| `shop.openMs` | How long it is open, milliseconds. | a finite number > 0 | `28800000` (8 h) |",
      "| `shop.tables` | Tables of four seats. | an integer >= 0 | a quarter of `seats` |",
    ]);
  });

  test("fails at an option that is added to a table without TSDoc", async () => {
    const added = text
      .replace("  tables?: number;", "  tables?: number;\n  chairs?: number;")
      .replace("  tables: rule,", "  tables: rule,\n  chairs: rule,");
    const { all, interfaces } = await fixture(added);
    const table = () => optionsTable(all[0]!, interfaces);
    expect(table).toThrow('test/docs/fixture.ts: "chairs" of ShopOptions needs a sentence of TSDoc');
  });

  test("gives another table when a range or a default changes, and sees where TSDoc states the old default", async () => {
    const { all, interfaces } = await fixture(text.replace("integer(1, 100)", "integer(1, 50)").replace("12,", "10,"));
    expect(optionsTable(all[0]!, interfaces)).toContain("Seats for guests. | an integer in [1, 50] | `10` |");
    expect(wrongDefaults(all, interfaces)).toEqual(["ShopOptions.seats: 12, but 10"]);
    expect(wrongDefaults((await fixture(text)).all, interfaces)).toEqual([]);
  });

  test("writes between its markers alone, and knows the names there", () => {
    const readme = "# A\n<!-- generated: one -->\nold\n<!-- end -->\nB\n<!-- generated: two -->\n<!-- end -->\n";
    expect(blocksIn(readme)).toEqual(["one", "two"]);
    const once = filled(readme, (name) => `new ${name}`);
    expect(once).toBe(
      "# A\n<!-- generated: one -->\n\nnew one\n\n<!-- end -->\nB\n<!-- generated: two -->\n\nnew two\n\n<!-- end -->\n",
    );
    expect(filled(once, (name) => `new ${name}`)).toBe(once);
  });

  test("keeps cells whole, and ranges out of sentences", () => {
    expect(tableOf(["a"], [["x | y\nz"]])).toBe("| a |\n| --- |\n| x \\| y z |");
    expect(withoutRange("Discount for each step, [0, 1].")).toBe("Discount for each step.");
    expect(withoutRange("Exponent, [0, 1]: a power.")).toBe("Exponent: a power.");
    expect(withoutRange("Milliseconds watched, >= 0.")).toBe("Milliseconds watched.");
    expect(withoutRange("Length of the run, in [1, 3650] days.")).toBe("Length of the run, in [1, 3650] days.");
  });
});
