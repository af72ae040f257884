import text from "../../../.build/dqn.text.js";

let bytes: Uint8Array<ArrayBuffer> | undefined;
let module: WebAssembly.Module | undefined;

/** The bytes of the engine, from a string that assembly/text.mjs wrote into this file. */
export function defaultBytes(): Uint8Array<ArrayBuffer> {
  if (bytes) return bytes;
  const codes: number[] = [];
  let high = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = (code + (code < 92 ? 30 : 29)) % 90;
    if (digit > 87) high = (digit - 87) * 88;
    else {
      codes.push(high + digit - 5);
      high = 0;
    }
  }
  bytes = Uint8Array.from(codes);
  return bytes;
}

/** The engine, compiled at its first use. */
export function defaultModule(): WebAssembly.Module {
  module ??= new WebAssembly.Module(defaultBytes());
  return module;
}
