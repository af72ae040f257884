import bytes from "../.build/dqn.wasm";

let module: WebAssembly.Module | undefined;

/** The engine, compiled from bytes inlined in this file at its first use. */
export function defaultModule(): WebAssembly.Module {
  module ??= new WebAssembly.Module(bytes);
  return module;
}

/** The bytes that it is compiled from. */
export function defaultBytes(): Uint8Array<ArrayBuffer> | undefined {
  return bytes;
}
