import type { Rule } from "../../../check/index.js";
import { Seen } from "../../../collections/index.js";
import { hashText64 } from "../../../numeric/index.js";
import type { Id } from "../../../protocol/index.js";

const INSTANCE_MAX = 64;
/** A recorded decision with a higher number does not push the own ones on: they keep within 15 digits. */
const NUMBER_MAX = 1e14;

/** The rule of the option `instance`. */
export const instanceName: Rule = [
  (value) => typeof value === "string" && new RegExp(`^[\\w.-]{0,${INSTANCE_MAX}}$`).test(value),
  `a string of at most ${INSTANCE_MAX} letters, digits, ".", "_" and "-"`,
];

/** A name that no other instance has: 64 random bits. They name decisions, and reach nothing else. */
export function newInstance(): string {
  const bits = globalThis.crypto.getRandomValues(new Uint32Array(2));
  return Array.from(bits, (word) => word.toString(36)).join("");
}

/** What the names of an instance's decisions begin with. */
export function prefixOf(policy: string, instance: string): string {
  return instance === "" ? `${policy}-` : `${policy}-${instance}-`;
}

/**
 * Names decisions, and knows the latest of them, also after they have closed: by a hash of the whole name, so that
 * nobody makes one up.
 */
export class DecisionNames {
  /** Decisions named. */
  count = 0;
  readonly #prefix: string;
  readonly #known: Seen;

  /** @param max - Most names remembered. */
  constructor(prefix: string, max: number) {
    this.#prefix = prefix;
    this.#known = new Seen(max);
  }

  /** The name of a new decision. */
  next(): Id {
    const id = `${this.#prefix}${this.count++}`;
    this.#known.add(hashText64(id));
    return id;
  }

  has(id: Id): boolean {
    return this.#known.get(hashText64(id)) !== undefined;
  }

  /** Remembers the name of a decision that was made elsewhere. */
  add(id: Id): void {
    this.#known.add(hashText64(id));
    // An instance of this name may have made it: later decisions need other names.
    const digits = id.startsWith(this.#prefix) ? id.slice(this.#prefix.length) : "";
    if (!/^\d{1,15}$/.test(digits)) return;
    const number = Number(digits);
    if (number >= this.count && number < NUMBER_MAX) this.count = number + 1;
  }

  /** The names remembered, the oldest first. */
  save(): Uint32Array {
    return this.#known.save();
  }

  /** The same as bytes, as they are now. */
  window(): ReturnType<Seen["picture"]> {
    return this.#known.picture();
  }

  load(count: number, known: Uint32Array): void {
    this.count = count;
    this.#known.load(known);
  }
}
