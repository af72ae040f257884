/** What the JavaScript engine around us is, where that decides how fast Wasm is, never what it computes. */

/** The parts of the global object that tell engines apart. */
interface Host {
  process?: { versions?: Record<string, string | undefined> };
  Deno?: { version?: { v8?: string } };
  navigator?: { userAgent?: string };
}

/** The first V8 that keeps an unrolled loop in its registers; those before move its loads to the front and spill. */
const UNROLLS_FROM = 13;

/**
 * Whether unrolled kernels are the faster ones: in V8 from 13 on (Node 24, Chrome 130), not in V8 before, JavaScriptCore
 * or SpiderMonkey. `npm run bench` measures both.
 */
export function prefersUnrolled(host: Host = globalThis as Host): boolean {
  return majorOfV8(host) >= UNROLLS_FROM;
}

/** The major version of V8; 0 in another engine. Chrome's is ten times V8's. */
function majorOfV8({ process, Deno, navigator }: Host): number {
  // Bun tells a V8 version for the sake of other packages, and runs JavaScriptCore.
  if (process?.versions?.["bun"]) return 0;
  const version = Deno?.version?.v8 ?? process?.versions?.["v8"];
  if (version) return Number.parseInt(version, 10);
  const agent = navigator?.userAgent ?? "";
  if (agent === "Cloudflare-Workers") return UNROLLS_FROM;
  return Math.floor(Number(/Chrome\/(\d+)/.exec(agent)?.[1] ?? 0) / 10);
}
