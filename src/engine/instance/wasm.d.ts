/** The Wasm file as workerd imports it, after esbuild's loader `copy`. */
declare module "*/dqn.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*/continuous.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*/int8.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

/** module.ts or module.workerd.ts, bundled: package.json's `imports` chooses. */
declare module "#module" {
  export function defaultModule(): WebAssembly.Module;
  export function defaultBytes(): Uint8Array<ArrayBuffer> | undefined;
}

/** actormodule.ts or actormodule.workerd.ts, in the same way. */
declare module "#continuous" {
  export function continuousModule(): WebAssembly.Module;
}

/** int8/int8module.ts or int8/int8module.workerd.ts, in the same way. */
declare module "#int8" {
  export function int8Module(): WebAssembly.Module;
}
