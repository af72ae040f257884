/** The number of a name that was forgotten. */
export const DEAD = 0xffffff;
/** Most names of a table: numbers have three bytes. */
const NAMES_MAX = DEAD;

/**
 * Names as dense numbers, each once, for as long as a record refers to it. A forgotten name is dead at once, in all
 * records, without a walk over them: its number stays taken until the last record with it is written anew.
 */
export class Names {
  readonly #numbers = new Map<string, number>();
  readonly #strings: (string | undefined)[] = [];
  #references = new Uint32Array(16);
  #free: number[] = [];
  #holders = 0;
  /** Numbers of moments, so that a picture sees the names of its own. */
  #moment = 0;
  /** Forgotten names that pictures of before still see. */
  readonly #ghosts = new Map<number, { name: string; moment: number }>();
  /** Numbers without references, while someone holds the table. */
  #limbo = new Set<number>();

  /** Names that records refer to. */
  get size(): number {
    return this.#numbers.size;
  }

  /** The number of a name; new ones have no reference yet. DEAD for a new name in a full table. */
  intern(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#free.pop() ?? this.#strings.length;
    if (number >= NAMES_MAX) return DEAD;
    this.#strings[number] = name;
    this.#numbers.set(name, number);
    if (number >= this.#references.length) {
      const references = new Uint32Array(2 * this.#references.length);
      references.set(this.#references);
      this.#references = references;
    }
    return number;
  }

  has(name: string): boolean {
    return this.#numbers.has(name);
  }

  /** The number of a name; undefined for an unknown one. */
  numberOf(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  /** The name of a number; undefined for a dead one. */
  name(number: number): string | undefined {
    return this.#strings[number];
  }

  /** One more record refers to a name. */
  refer(number: number): void {
    if (number !== DEAD) this.#references[number]!++;
  }

  /** One record less. */
  drop(number: number): void {
    if (number === DEAD || --this.#references[number]! > 0) return;
    if (this.#holders > 0) this.#limbo.add(number);
    else this.#release(number);
  }

  /** The name is dead in all records; of the same name there may be a new one. */
  forget(name: string): void {
    const number = this.#numbers.get(name);
    if (number === undefined) return;
    this.#numbers.delete(name);
    this.#strings[number] = undefined;
    if (this.#holders > 0) this.#ghosts.set(number, { name, moment: this.#moment });
  }

  /** From now on no number gets another name, until `release`. Returns the number of this moment. */
  hold(): number {
    this.#holders++;
    return ++this.#moment;
  }

  /** The name of a number at a moment of `hold`. */
  nameAt(number: number, moment: number): string | undefined {
    const name = this.#strings[number];
    if (name !== undefined || number === DEAD) return name;
    const ghost = this.#ghosts.get(number);
    return ghost !== undefined && ghost.moment >= moment ? ghost.name : undefined;
  }

  release(): void {
    if (--this.#holders > 0) return;
    this.#ghosts.clear();
    const limbo = this.#limbo;
    this.#limbo = new Set();
    for (const number of limbo) if (this.#references[number] === 0) this.#release(number);
  }

  #release(number: number): void {
    const name = this.#strings[number];
    if (name !== undefined) this.#numbers.delete(name);
    this.#strings[number] = undefined;
    this.#free.push(number);
  }
}
