import text from "../../../.build/dqn.text.js";
import { decoded } from "./text.js";

let bytes: Uint8Array<ArrayBuffer> | undefined;
let module: WebAssembly.Module | undefined;

/** The bytes of the engine, from a string that assembly/text.mjs wrote into this file. */
export function defaultBytes(): Uint8Array<ArrayBuffer> {
  bytes ??= decoded(text);
  return bytes;
}

/** The engine, compiled at its first use. */
export function defaultModule(): WebAssembly.Module {
  module ??= new WebAssembly.Module(defaultBytes());
  return module;
}
