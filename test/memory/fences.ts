/** Who may touch what: ranges of a memory, each a tensor of its own, and the check that the checked build calls. */
import { STORE } from "./instrument.js";

/** A tensor's place. */
export interface Range {
  readonly name: string;
  readonly at: number;
  readonly bytes: number;
  readonly isWritable: boolean;
  /** Bytes behind it that may be read too. */
  readonly behind?: number;
}

/**
 * Every load, store, copy and fill must lie in one tensor, which must be writable for the last three. Bytes in none of
 * them are guards.
 */
export class Fences {
  /** Checks passed so far. */
  checks = 0;
  #ranges: Range[] = [];
  /** For each byte of the memory: the number of its range, from 1 on. */
  #owners: Uint16Array;
  #permanent = 0;

  constructor(bytes: number) {
    this.#owners = new Uint16Array(bytes);
  }

  get ranges(): readonly Range[] {
    return this.#ranges;
  }

  allow(range: Range): void {
    const { at, bytes, behind = 0 } = range;
    if (!(at >= 0 && at + bytes + behind <= this.#owners.length))
      throw new Error(`"${range.name}" is not in the memory`);
    this.#ranges.push(range);
    this.#owners.fill(this.#ranges.length, at, at + bytes + behind);
  }

  /** Allows what a module has in front of `end` beside its heap: of this, the 128 bytes at `zeros` only to read. */
  allowStatics(zeros: number, end: number): void {
    this.allow({ name: "statics", at: 8, bytes: zeros - 8, isWritable: true });
    this.allow({ name: "zeros", at: zeros, bytes: 128, isWritable: false });
    this.allow({ name: "more statics", at: zeros + 128, bytes: end - zeros - 128, isWritable: true });
  }

  /** Keeps what is allowed so far beyond `reset`. */
  keep(): void {
    this.#permanent = this.#ranges.length;
  }

  reset(): void {
    for (const { at, bytes, behind = 0 } of this.#ranges.splice(this.#permanent)) {
      this.#owners.fill(0, at, at + bytes + behind);
    }
  }

  /** The imports of the checked build. */
  get imports() {
    return {
      access: (address: number, offset: number, how: number): number => {
        this.checks++;
        const at = (address >>> 0) + (offset >>> 0);
        const owner = this.#owners[at];
        const last = at + (how & 255) - 1;
        if (!owner || this.#owners[last] !== owner || (how & STORE && !mayStore(this.#ranges[owner - 1]!, last))) {
          this.#refuse(how & STORE ? "store" : "load", at, how & 255);
        }
        return address;
      },
      copy: (to: number, from: number, bytes: number): void => {
        this.#span("copy to", to, bytes, true);
        this.#span("copy from", from, bytes, false);
      },
      fill: (to: number, _: number, bytes: number): void => this.#span("fill", to, bytes, true),
    };
  }

  #span(what: string, address: number, length: number, isStore: boolean): void {
    this.checks++;
    const [at, bytes] = [address >>> 0, length >>> 0];
    if (bytes === 0) return;
    const [owner, last] = [this.#owners[at], at + bytes - 1];
    if (!owner || this.#owners[last] !== owner || (isStore && !mayStore(this.#ranges[owner - 1]!, last))) {
      this.#refuse(what, at, bytes);
    }
  }

  #refuse(what: string, at: number, bytes: number): never {
    const distance = ({ at: start, bytes: n }: Range) => Math.max(start - at, at + bytes - (start + n), 0);
    const [nearest] = [...this.#ranges].sort((a, b) => distance(a) - distance(b));
    const place = nearest
      ? `"${nearest.name}", which has ${nearest.bytes} bytes${nearest.isWritable ? "" : " to read"}, from its byte ${at - nearest.at} on`
      : "nothing";
    throw new MemoryError(`${what} of ${bytes} bytes at ${at}: ${place}`);
  }
}

const mayStore = ({ at, bytes, isWritable }: Range, last: number) => isWritable && last < at + bytes;

/** An access outside of what is allowed. */
export class MemoryError extends Error {
  override name = "MemoryError";
}
