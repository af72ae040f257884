import text from "../../../.build/continuous.text.js";
import { decoded } from "./text.js";

let module: WebAssembly.Module | undefined;

/** The module of the continuous agent, compiled at its first use. */
export function continuousModule(): WebAssembly.Module {
  module ??= new WebAssembly.Module(decoded(text));
  return module;
}
