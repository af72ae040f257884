import { expect, test } from "vitest";
import { sampleOf } from "../../src/cli/guessing/index.js";

const sample = (text: string) => sampleOf(new TextEncoder().encode(text), true);

test("a sample of very many columns is refused, and of very many values those are taken that most rows have", async () => {
  await expect(sample(`${",".repeat(100_000)}\n`.repeat(3))).rejects.toThrow(
    "must have at most 500 columns, got 100001",
  );
  const rows = Array.from({ length: 200 }, (_, row) => {
    const own = Array.from({ length: 100 }, (_, i) => [`k${row}-${i}`, i]);
    return JSON.stringify({ ...Object.fromEntries(own), user: `u${row}` });
  });
  const { columns, about } = await sample(rows.join("\n"));
  expect(columns.length).toBe(500);
  expect(columns.map(({ name }) => name)).toContain("user");
  expect(about).toContain("the 500 that most rows have are looked at");
});

test("a sample of a million short rows is looked at as far as it goes", async () => {
  const { rows } = await sample("1\n".repeat(1_000_000));
  expect(rows).toBe(4000);
});
