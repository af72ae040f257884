import { expect, test } from "vitest";
import { programsIn, runProgram } from "../support/readme.js";

const [balance, loop, candidates, batch, continuous, smaller, ensemble] = programsIn("src/engine/README.md") as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];

test("the README's training on CartPole reaches 500 in every greedy episode", async () => {
  const out = await runProgram(balance);
  const returns = JSON.parse(out.slice(out.lastIndexOf("[")));
  expect(returns).toEqual(Array(10).fill(500));
});

test("the README's own loop learns, and its copy is as far", async () => {
  expect(await runProgram(loop)).toBe("2000 1001\n");
});

test("the README's candidates have a value each", async () => {
  expect(await runProgram(candidates)).toBe("2\n");
});

test("the README's states at once have a value for each candidate, and an action each", async () => {
  expect(await runProgram(batch)).toBe("3 2\n");
});

test("the README's continuous agent swings the pendulum up, and is saved and loaded", async () => {
  expect(await runProgram(continuous)).toBe("true\n1 2\n");
});

test("the README's smaller agents are smaller, and agree", async () => {
  expect(await runProgram(smaller)).toBe("true\ntrue\n[ 32, 32 ]\ntrue\n");
});

test("the README's ensemble agrees on the better action, and is saved and loaded", async () => {
  expect(await runProgram(ensemble)).toBe("2 2 2\n1 1\n5 200\n");
});
