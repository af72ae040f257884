// workerd compiles no bytes at run time; it takes a module from an import.
import module from "../../../.build/continuous.wasm";

/** The module of the continuous agent, compiled by the platform. */
export function continuousModule(): WebAssembly.Module {
  return module;
}
