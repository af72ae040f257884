// workerd compiles no bytes at run time; it takes a module from an import.
import module from "../../../.build/dqn.wasm";

/** The engine, compiled by the platform. */
export function defaultModule(): WebAssembly.Module {
  return module;
}

/** None: workerd compiles no bytes. */
export function defaultBytes(): Uint8Array<ArrayBuffer> | undefined {
  return undefined;
}
