// workerd compiles no bytes at run time; it takes a module from an import.
import module from "../../../../.build/int8.wasm";

/** The module of int8 networks, compiled by the platform. */
export function int8Module(): WebAssembly.Module {
  return module;
}
