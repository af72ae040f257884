/** The host's JavaScript engine: it affects the speed of Wasm, never its results. */

/** The parts of the global object that identify an engine. */
interface Host {
  process?: { versions?: Record<string, string | undefined>; getBuiltinModule?: (name: string) => unknown };
  navigator?: { userAgent?: string };
}

/**
 * Whether unrolled kernels are at least as fast: everywhere but in V8 before 13 (Node 22 and older, Chrome 129 and older),
 * which moves the loads of an unrolled loop to its front and spills, at half the speed. `npm run bench` measures both.
 */
export function prefersUnrolled({ process, navigator }: Host = globalThis as Host): boolean {
  // Chrome's version is ten times V8's.
  const chrome = Number(/Chrome\/(\d+)/.exec(navigator?.userAgent ?? "")?.[1]) / 10;
  const v8 = Number.parseInt(process?.versions?.["v8"] ?? "", 10) || chrome;
  return !(v8 < 13);
}

/** A module that is part of the host; undefined where it has none of that name. */
export function builtin<T>(name: string): T | undefined {
  return (globalThis as Host).process?.getBuiltinModule?.(name) as T | undefined;
}
