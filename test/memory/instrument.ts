/**
 * The checked build: a WebAssembly module as it ships, with a call in front of every instruction that touches memory, and
 * with some of its functions replaced by imports. Works on the bytes, so that what is checked is what ships; all else
 * stays as it is, instruction by instruction.
 *
 * Imports, of module "checked":
 *
 *   access(address, offset, bytes | STORE) -> address    before a load or a store
 *   copy(to, from, bytes)  fill(to, value, bytes)        before memory.copy and memory.fill
 *   <name of a replaced function>                        instead of it
 */

/** In the third argument of `access`: it is a store. */
export const STORE = 256;

/** Of f32, f64, i32, i64 and v128 as the binary format writes them. */
const [I32, I64, F32, F64, V128] = [0x7f, 0x7e, 0x7d, 0x7c, 0x7b];
/** The temporaries that each function gets: three i32, and one of each other type. */
const TEMPORARIES = [I32, I32, I32, I64, F32, F64, V128];

/** Bytes and, of a store, type of the value, from i32.load (0x28) on. */
const LOADS = [4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4];
const STORES: readonly (readonly [number, number])[] = [
  ...([
    [4, I32],
    [8, I64],
    [4, F32],
    [8, F64],
  ] as const),
  ...([
    [1, I32],
    [2, I32],
    [1, I64],
    [2, I64],
    [4, I64],
  ] as const),
];
/** Bytes of the vector instructions v128.load to v128.load64_splat. */
const VECTOR_LOADS = [16, 8, 8, 8, 8, 8, 8, 1, 2, 4, 8];

/** Reads the binary format. */
class Reader {
  at = 0;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get isDone(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    return this.bytes[this.at++]!;
  }

  u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  /** Skips a LEB128 of any kind. */
  leb(): void {
    while (this.byte() >= 128);
  }

  take(n: number): Uint8Array {
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }

  name(): string {
    return new TextDecoder().decode(this.take(this.u32()));
  }
}

function u32(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}

function s32(value: number): number[] {
  const bytes: number[] = [];
  for (value |= 0; value < -64 || value > 63; value >>= 7) bytes.push((value & 127) | 128);
  return [...bytes, value & 127];
}

const text = (value: string) => [...u32(value.length), ...new TextEncoder().encode(value)];
const vector = (items: readonly (readonly number[])[]) => [...u32(items.length), ...items.flat()];

/** The sections of a module by id; custom ones are left out. */
function sectionsOf(wasm: Uint8Array): Map<number, Uint8Array> {
  const reader = new Reader(wasm);
  reader.take(8);
  const sections = new Map<number, Uint8Array>();
  while (!reader.isDone) {
    const id = reader.byte();
    const body = reader.take(reader.u32());
    if (id) sections.set(id, body);
  }
  return sections;
}

/** Parameters of each type of the type section. */
function parametersOf(types: Uint8Array): { types: number[][]; rest: Uint8Array } {
  const reader = new Reader(types);
  const count = reader.u32();
  const rest = types.subarray(reader.at);
  const parameters = Array.from({ length: count }, () => {
    if (reader.byte() !== 0x60) throw new Error("a type that is not a function");
    const values = [...reader.take(reader.u32())];
    reader.take(reader.u32());
    return values;
  });
  return { types: parameters, rest };
}

function listOf(section: Uint8Array): number[] {
  const reader = new Reader(section);
  return Array.from({ length: reader.u32() }, () => reader.u32());
}

/** A function of the module, rewritten. */
interface Calls {
  /** How many imports stand before the module's own functions. */
  shift: number;
  isChecked: boolean;
  /** Counts the instructions that touch memory. */
  sites: number;
}

const [ACCESS, COPY, FILL] = [0, 1, 2];

/** Rewrites the instructions of one function, whose temporaries begin at `first`. */
function rewrite(reader: Reader, first: number, calls: Calls): number[] {
  const out: number[] = [];
  const copied = (from: number) => {
    for (let i = from; i < reader.at; i++) out.push(reader.bytes[i]!);
  };
  const get = (temporary: number) => [0x20, ...u32(first + temporary)];
  const set = (temporary: number) => [0x21, ...u32(first + temporary)];
  const touch = (offset: number, how: number, ...values: readonly number[]) => {
    calls.sites++;
    if (!calls.isChecked) return;
    const temporaries: number[] = [];
    for (const type of values)
      temporaries.push(TEMPORARIES.findIndex((one, i) => one === type && !temporaries.includes(i)));
    for (const temporary of [...temporaries].reverse()) out.push(...set(temporary));
    out.push(0x41, ...s32(offset), 0x41, ...s32(how), 0x10, ACCESS);
    for (const temporary of temporaries) out.push(...get(temporary));
  };
  const range = (which: number) => {
    calls.sites++;
    if (!calls.isChecked) return;
    const all = [...get(0), ...get(1), ...get(2)];
    out.push(...set(2), ...set(1), ...set(0), ...all, 0x10, which, ...all);
  };
  /** Skips alignment, and gives the offset. */
  const offset = () => {
    if (reader.u32() >= 64) throw new Error("more than one memory");
    return reader.u32();
  };
  while (!reader.isDone) {
    const start = reader.at;
    const code = reader.byte();
    if (code === 0x10 || code === 0xd2) {
      out.push(code, ...u32(reader.u32() + calls.shift));
      continue;
    }
    if (code >= 0x28 && code <= 0x35) touch(offset(), LOADS[code - 0x28]!);
    else if (code >= 0x36 && code <= 0x3e) {
      const [bytes, type] = STORES[code - 0x36]!;
      touch(offset(), bytes | STORE, type);
    } else if (code === 0xfd) skipVector(reader, offset, touch);
    else if (code === 0xfe) skipAtomic(reader, offset, touch);
    else if (code === 0xfc) {
      const which = reader.u32();
      if (which === 10) {
        reader.take(2);
        range(COPY);
      } else if (which === 11) {
        reader.take(1);
        range(FILL);
      } else if (which > 7) throw new Error(`instruction 0xfc ${which} is not known here`);
    } else skip(reader, code);
    copied(start);
  }
  return out;
}

/** Before an access: its offset, bytes | STORE, and the types of what stands on the stack above its address. */
type Touch = (offset: number, how: number, ...values: readonly number[]) => void;

/** The immediates of an atomic instruction, and its access to memory, if it has one. */
function skipAtomic(reader: Reader, offset: () => number, touch: Touch) {
  const code = reader.u32();
  // i32, i64, then the narrower forms of both.
  const form = (code - 16) % 7;
  const bytes = [4, 8, 1, 2, 1, 2, 4][form]!;
  const type = [I32, I64, I32, I32, I64, I64, I64][form]!;
  if (code === 0) touch(offset(), 4, I32);
  else if (code === 1) touch(offset(), 4, I32, I64);
  else if (code === 3) reader.byte();
  else if (code >= 16 && code <= 22) touch(offset(), bytes);
  else if (code >= 23 && code <= 71) touch(offset(), bytes | STORE, type);
  else if (code >= 72 && code <= 78) touch(offset(), bytes | STORE, type, type);
  else throw new Error(`instruction 0xfe ${code} is not known here`);
}

/** The immediates of a vector instruction, and its access to memory, if it has one. */
function skipVector(reader: Reader, offset: () => number, touch: Touch) {
  const code = reader.u32();
  if (code <= 10) touch(offset(), VECTOR_LOADS[code]!);
  else if (code === 11) touch(offset(), 16 | STORE, V128);
  else if (code === 12 || code === 13) reader.take(16);
  else if (code >= 21 && code <= 34) reader.byte();
  else if (code >= 84 && code <= 91) {
    // A lane: loads and stores of 1, 2, 4 and 8 bytes, both with a vector on the stack.
    touch(offset(), (1 << ((code - 84) & 3)) | (code >= 88 ? STORE : 0), V128);
    reader.byte();
  } else if (code === 92 || code === 93) touch(offset(), code === 92 ? 4 : 8);
  else if (code > 255) throw new Error(`instruction 0xfd ${code} is not known here`);
}

/** The immediates of an instruction that does not touch memory. */
function skip(reader: Reader, code: number): void {
  if (code === 0x0e) {
    for (let n = reader.u32(); n >= 0; n--) reader.leb();
  } else if (code === 0x1c) reader.take(reader.u32());
  else if (code === 0x43) reader.take(4);
  else if (code === 0x44) reader.take(8);
  else if (code === 0x11) {
    reader.leb();
    reader.leb();
  } else if ([0x02, 0x03, 0x04, 0x0c, 0x0d, 0x3f, 0x40, 0x41, 0x42, 0xd0].includes(code)) reader.leb();
  else if (code >= 0x20 && code <= 0x26) reader.leb();
  else if (![0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b, 0xd1].includes(code) && !(code >= 0x45 && code <= 0xc4)) {
    throw new Error(`instruction 0x${code.toString(16)} is not known here`);
  }
}

/** The body of a function: its locals and temporaries, then its instructions. */
function bodyOf(body: Uint8Array, parameters: number, calls: Calls): number[] {
  const reader = new Reader(body);
  let first = parameters;
  const locals = Array.from({ length: reader.u32() }, () => {
    const count = reader.u32();
    first += count;
    return [...u32(count), reader.byte()];
  });
  for (const type of TEMPORARIES) locals.push([1, type]);
  return [...vector(locals), ...rewrite(reader, first, calls)];
}

/** Names of the functions of a module, in order, from its text. */
export function functionNames(wat: string): string[] {
  return [...wat.matchAll(/^ \(func \$(\S+)/gm)].map((match) => match[1]!);
}

export interface Instrumented {
  bytes: Uint8Array<ArrayBuffer>;
  /** How many instructions touch memory. */
  sites: number;
}

/**
 * @param names - Of the functions, in order.
 * @param replaced - Which of them become imports.
 * @param isChecked - Whether accesses are.
 */
export function instrument(
  wasm: Uint8Array,
  names: readonly string[],
  replaced: readonly string[],
  isChecked = true,
): Instrumented {
  const sections = sectionsOf(wasm);
  if (sections.has(2) || sections.has(8) || sections.has(9))
    throw new Error("imports, a start or a table: not known here");
  const { types, rest } = parametersOf(sections.get(1)!);
  const functions = listOf(sections.get(3)!);
  if (functions.length !== names.length) throw new Error("the text is of another module");
  const indices = replaced.map((name) => {
    const index = names.indexOf(name);
    if (index < 0) throw new Error(`the module has no function ${name}`);
    return index;
  });
  const imported = (name: string, type: number) => [...text("checked"), ...text(name), 0, ...u32(type)];
  const imports = [
    imported("access", types.length),
    imported("copy", types.length + 1),
    imported("fill", types.length + 1),
    ...indices.map((index) => imported(names[index]!, functions[index]!)),
  ];
  const calls: Calls = { shift: imports.length, isChecked, sites: 0 };

  const code = new Reader(sections.get(10)!);
  const bodies = Array.from({ length: code.u32() }, (_, index) => {
    const original = code.take(code.u32());
    const parameters = types[functions[index]!]!.length;
    const which = indices.indexOf(index);
    const body = bodyOf(original, parameters, calls);
    const passed = Array.from({ length: parameters }, (__, i) => [0x20, ...u32(i)]).flat();
    const call = which < 0 ? body : [0, ...passed, 0x10, ...u32(3 + which), 0x0b];
    return [...u32(call.length), ...call];
  });

  const access = [0x60, 3, I32, I32, I32, 1, I32];
  const range = [0x60, 3, I32, I32, I32, 0];
  sections.set(1, Uint8Array.from([...u32(types.length + 2), ...rest, ...access, ...range]));
  sections.set(2, Uint8Array.from(vector(imports)));
  sections.set(7, Uint8Array.from(exportsOf(sections.get(7)!, calls.shift)));
  sections.set(10, Uint8Array.from(vector(bodies)));
  const bytes = [...wasm.subarray(0, 8)];
  for (const id of [1, 2, 3, 4, 5, 6, 7, 12, 10, 11]) {
    const section = sections.get(id);
    if (section) bytes.push(id, ...u32(section.length), ...section);
  }
  return { bytes: Uint8Array.from(bytes), sites: calls.sites };
}

function exportsOf(section: Uint8Array, shift: number): number[] {
  const reader = new Reader(section);
  const all = Array.from({ length: reader.u32() }, () => {
    const name = reader.name();
    const kind = reader.byte();
    return [...text(name), kind, ...u32(reader.u32() + (kind === 0 ? shift : 0))];
  });
  return vector(all);
}

/** Where the zeros stand that products begin with: the one place of gemmShare beyond its arguments. */
export function zerosAt(wat: string): number {
  const from = wat.indexOf("(func $assembly/gemm/gemmShare ");
  const body = wat.slice(from, wat.indexOf("\n (func ", from));
  return Math.max(...[...body.matchAll(/i32\.const (\d+)/g)].map((match) => Number(match[1])));
}
