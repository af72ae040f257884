import { parseNumber } from "../basics/index.js";
import { type Get, truthOf } from "./convert.js";
import type { Condition, Scalar } from "./mapping.js";

/** Whether a value, undefined for a missing one, is as it must be. */
type Test = (value: unknown) => boolean;

function numberOf(value: unknown): number {
  if (typeof value === "string") return parseNumber(value);
  return typeof value === "number" || typeof value === "boolean" ? Number(value) : Number.NaN;
}

function equal(scalar: Scalar): Test {
  if (typeof scalar === "number") return (value) => numberOf(value) === scalar;
  if (typeof scalar === "boolean") return (value) => value !== undefined && truthOf(value) === scalar;
  return (value) => value !== undefined && String(value) === scalar;
}

function testOf(condition: Condition): Test {
  if (typeof condition !== "object") return equal(condition);
  if (Array.isArray(condition)) {
    const any = condition.map(equal);
    return (value) => any.some((test) => test(value));
  }
  const tests: Test[] = [];
  for (const [key, bound] of Object.entries(condition)) {
    if (key === "equals" || key === "in") tests.push(testOf(bound));
    else if (key === "exists") tests.push((value) => (value !== undefined) === bound);
    else if (key === "not") {
      const inner = testOf(bound);
      tests.push((value) => !inner(value));
    } else if (key === ">") tests.push((value) => numberOf(value) > bound);
    else if (key === ">=") tests.push((value) => numberOf(value) >= bound);
    else if (key === "<") tests.push((value) => numberOf(value) < bound);
    else tests.push((value) => numberOf(value) <= bound);
  }
  return (value) => tests.every((test) => test(value));
}

/** Whether a row is one that a rule applies to. */
export function rowTest(when: Readonly<Record<string, Condition>>, columns: (column: string) => Get): Test {
  const tests = Object.entries(when).map(([column, condition]) => [columns(column), testOf(condition)] as const);
  return (row) => {
    for (let i = 0; i < tests.length; i++) {
      const [get, test] = tests[i]!;
      if (!test(get(row))) return false;
    }
    return true;
  };
}
