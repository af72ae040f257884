import type { Context } from "../../bench/harness/suite.js";

/** A context that prints nothing; its failures go to a list. */
export function quietContext(failures: string[] = []): Context {
  return {
    signal: new AbortController().signal,
    progress() {},
    say() {},
    fail: (text) => void failures.push(text),
  };
}
