/** What the JavaScript engine around us is, where that decides how fast Wasm is, never what it computes. */

/** The parts of the global object that tell engines apart. */
interface Host {
  process?: { versions?: Record<string, string | undefined> };
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
