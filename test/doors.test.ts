import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import {
  collisions,
  DOORS,
  type Door,
  declarationsOf,
  differences,
  reportFile,
  reportOf,
  surfacesOf,
} from "./doors/doors.js";

const declarations = declarationsOf(DOORS);
const surfaces = surfacesOf(DOORS, declarations);

describe("the doors of the package", () => {
  test.each(DOORS.map(({ name }) => name))("%s opens on what its committed report lists", (door) => {
    const file = reportFile(door);
    const committed = existsSync(file) ? readFileSync(file, "utf8") : "";
    const found = differences(committed, reportOf(door, surfaces.get(door)!));
    expect(
      found,
      `${file} differs; if that is on purpose, run \`npm run doors\` and commit:\n${found.join("\n")}`,
    ).toEqual([]);
  });

  test("have a report each, and no report is without its door", () => {
    const reports = readdirSync("test/doors").filter((file) => file.endsWith(".txt"));
    expect(reports.sort()).toEqual(DOORS.map(({ name }) => basename(reportFile(name))).sort());
  });

  test("give no name to two things", () => {
    expect(collisions(surfaces)).toEqual([]);
  });

  test("list their names: none exports all of another file", () => {
    const star = new Map([["src/a.ts", 'export * from "./b.js";']]);
    expect(() => surfacesOf([{ name: "a", file: "src/a.ts" }], star)).toThrow("src/a.ts: must list what it exports");
  });
});

describe("the report of a door", () => {
  const door: Door = { name: "shop", file: "src/shop/index.ts" };
  const index = 'export { Shop, type Goods as Wares } from "./shop.js";';
  const shop = `
    import { type Money } from "../bank/index.js";
    export interface Goods { price: Money; }
    export declare class Shop { #private; private till; constructor(); sell(goods: Goods): void; }`;
  const bank = "export type Money = number;";
  const report = (files: { index?: string; shop?: string; bank?: string } = {}) => {
    const map = new Map([
      ["src/shop/index.ts", files.index ?? index],
      ["src/shop/shop.ts", files.shop ?? shop],
      ["src/bank/index.ts", files.bank ?? bank],
    ]);
    return reportOf("shop", surfacesOf([door], map).get("shop")!);
  };

  test("holds names, signatures and what they mention, without private members", () => {
    expect(report()).toBe(`# liveq/shop: 2 names

## Shop
class Shop {
    constructor();
    sell(goods: Goods): void;
}

## Wares
interface Goods {
    price: Money;
}

# Mentioned, not exported

## Money
type Money = number;
`);
  });

  test("differs by a name that is added, removed or renamed, and by a signature that changes anywhere below", () => {
    const before = report();
    expect(differences(before, report())).toEqual([]);
    expect(differences(before, report({ index: index.replace(" as Wares", "") }))).toEqual([
      "added: Goods",
      "removed: Wares",
    ]);
    expect(differences(before, report({ shop: shop.replace("sell(", "give(") }))).toEqual(["changed: Shop"]);
    expect(differences(before, report({ bank: "export type Money = bigint;" }))).toEqual(["changed: Money"]);
    const reordered = shop.replace(
      "constructor(); sell(goods: Goods): void;",
      "sell(goods: Goods): void; constructor();",
    );
    expect(differences(before, report({ shop: reordered }))).toEqual([]);
  });

  test("of the engine differs when one name of it does", () => {
    const committed = readFileSync(reportFile("liveq"), "utf8");
    const renamed = new Map(declarations);
    renamed.set("src/index.ts", declarations.get("src/index.ts")!.replace(" evaluate,", " evaluate as assess,"));
    const now = reportOf("liveq", surfacesOf(DOORS, renamed).get("liveq")!);
    expect(differences(committed, now)).toEqual(["added: assess", "removed: evaluate"]);
  });

  test("sees a name that two doors give to two things, and not one thing behind two doors", () => {
    const doors = [door, { name: "bank", file: "src/bank/index.ts" }];
    const files = new Map([
      ["src/shop/index.ts", 'export { type Money } from "../bank/index.js"; export type Note = "music";'],
      ["src/bank/index.ts", `${bank} export type Note = "paper";`],
    ]);
    expect(collisions(surfacesOf(doors, files))).toEqual([
      "Note: shop (src/shop/index.ts Note), bank (src/bank/index.ts Note)",
    ]);
  });
});
