import text from "../../../../.build/int8.text.js";
import { decoded } from "../text.js";

let module: WebAssembly.Module | undefined;

/** The module of int8 networks, compiled at its first use. */
export function int8Module(): WebAssembly.Module {
  module ??= new WebAssembly.Module(decoded(text));
  return module;
}
