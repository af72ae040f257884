import { createHash } from "node:crypto";
import type { Disk } from "./checkpoints.js";

const NAME = /^(\d{12})-([0-9a-f]{64})\.item$/;
const UNFINISHED = ".unfinished";
const MARK = "mark";

/**
 * Numbered items in a folder, each whole or not there: its name holds its number and its SHA-256, and what is damaged counts
 * as not there. One number may be marked, and short texts may be noted by name.
 */
export class Shelf {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
    // What a killed process left.
    if (disk.list().includes(UNFINISHED)) disk.remove(UNFINISHED);
  }

  /** The intact items, by number, the lowest first. */
  *items(): Generator<{ number: number; bytes: Uint8Array }, void> {
    for (const { name, number, sha256 } of this.#list()) {
      const bytes = this.#read(name);
      if (createHash("sha256").update(bytes).digest("hex") === sha256) yield { number, bytes };
    }
  }

  put(number: number, bytes: Uint8Array): void {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    this.#write(`${String(number).padStart(12, "0")}-${sha256}.item`, bytes);
  }

  /** Removes the items that are not of these numbers. */
  keep(numbers: ReadonlySet<number>): void {
    for (const { name, number } of this.#list()) if (!numbers.has(number)) this.#disk.remove(name);
  }

  /** The marked number; undefined without one. */
  get mark(): number | undefined {
    const text = this.note(MARK) ?? "";
    return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  }

  set mark(number: number | undefined) {
    this.setNote(MARK, number === undefined ? "none" : String(number));
  }

  /** The text that was noted under a name; undefined without one. */
  note(name: string): string | undefined {
    return this.#disk.list().includes(name) ? new TextDecoder().decode(this.#read(name)) : undefined;
  }

  /** Notes a text, in place of what was noted under the name. */
  setNote(name: string, text: string): void {
    if (this.note(name) !== text) this.#write(name, new TextEncoder().encode(text));
  }

  #list(): { name: string; number: number; sha256: string }[] {
    const found = this.#disk.list().flatMap((name) => {
      const [, number, sha256] = NAME.exec(name) ?? [];
      return number === undefined ? [] : [{ name, number: Number(number), sha256: sha256! }];
    });
    return found.sort((a, b) => a.number - b.number);
  }

  #write(name: string, bytes: Uint8Array): void {
    const file = this.#disk.create(UNFINISHED);
    try {
      file.write(bytes);
      file.sync();
    } finally {
      file.close();
    }
    this.#disk.rename(UNFINISHED, name);
    this.#disk.sync();
  }

  #read(name: string): Uint8Array {
    const pieces = [...this.#disk.read(name)];
    const bytes = new Uint8Array(pieces.reduce((size, { byteLength }) => size + byteLength, 0));
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.byteLength;
    }
    return bytes;
  }
}
