/** `WebAssembly.Module`, also where TypeScript knows none: `lib` without `dom` and the types of Node alone. */
export type CompiledModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } }
  ? Module
  : object;

/** @throws Error where there is no WebAssembly. */
export function requireWebAssembly(): void {
  if (typeof WebAssembly !== "undefined") return;
  throw new Error("the host has no WebAssembly: it is an old one, or it is switched off, as by a lockdown mode");
}

/**
 * The exports of a new instance. @param file - The module's name in the package, for the message.
 * @throws Error where the host refuses WebAssembly: most do when it is compiled, WebKit when it is instantiated.
 */
export function instantiated<T>(file: string, compile: () => CompiledModule, imports: object = {}): T {
  try {
    return new WebAssembly.Instance(compile() as WebAssembly.Module, imports as WebAssembly.Imports).exports as T;
  } catch (cause) {
    if (!(cause instanceof WebAssembly.CompileError)) throw cause;
    throw new Error(
      `the host refuses WebAssembly: a page needs script-src 'wasm-unsafe-eval', a worker { module } of "${file}" (${cause.message})`,
      { cause },
    );
  }
}
