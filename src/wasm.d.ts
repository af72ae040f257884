/** What esbuild's loaders make of the Wasm file: `binary` gives the bytes, `copy` leaves workerd's import of a module. */
declare module "*/dqn.wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

/** module.ts or module.workerd.ts, bundled: package.json's `imports` chooses. */
declare module "#module" {
  export function defaultModule(): WebAssembly.Module;
  export function defaultBytes(): Uint8Array<ArrayBuffer> | undefined;
}
