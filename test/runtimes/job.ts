/** Bundles a portable module and calls one of its functions in a runtime. */
import { build } from "esbuild";
import { execute, ISOLATION, type Limits, openPage, openWorker, PAGE } from "./execute.js";
import type { Runtime } from "./install.js";

/** An exported function, which needs no Node, is called with what JSON keeps, and answers with the same. */
export interface Job {
  /** From the top of the repository. */
  module: string;
  function: string;
  arguments?: unknown[];
}

type Host = "console" | "page" | "worker";

/** The code around a call of `job`, and how its answer comes back. */
const SHELLS: Readonly<Record<Host, string>> = {
  console: "console.log(await job());",
  page: `
    const body = await job().catch((error) => JSON.stringify({ error: String(error) }));
    await fetch("/answer", { method: "POST", body });`,
  worker: "export default { async fetch() { return new Response(await job()); } };",
};

const bundles = new Map<string, Promise<Record<string, string | Uint8Array>>>();

/** The files of a job for a host by name, the first its entry. */
function bundled(job: Job, host: Host): Promise<Record<string, string | Uint8Array>> {
  const key = JSON.stringify([job, host]);
  const before = bundles.get(key);
  if (before) return before;
  const made = bundle(job, host);
  bundles.set(key, made);
  return made;
}

async function bundle(job: Job, host: Host): Promise<Record<string, string | Uint8Array>> {
  const call = `${job.function}(...${JSON.stringify(job.arguments ?? [])})`;
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { ${job.function} } from "./${job.module}";
        const job = async () => JSON.stringify(await ${call});
        ${SHELLS[host]}`,
      resolveDir: ".",
      sourcefile: "main.js",
    },
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    conditions: host === "worker" ? ["workerd"] : [],
    loader: { ".wasm": "copy" },
    assetNames: "[name]",
    outfile: "out/main.js",
    logLevel: "warning",
  });
  const files = outputFiles.map(({ path, contents }) => [path.slice(path.lastIndexOf("/") + 1), contents] as const);
  files.sort(([a], [b]) => Number(b === "main.js") - Number(a === "main.js"));
  return Object.fromEntries(files);
}

const HOSTS: Readonly<Record<string, Host>> = { workerd: "worker", chromium: "page", firefox: "page", webkit: "page" };

/** What the function of a job gives in a runtime. @throws Error where it fails or takes too long. */
export async function runJob(runtime: Runtime, job: Job, limits: Limits): Promise<unknown> {
  const host = HOSTS[runtime.name] ?? "console";
  const files = await bundled(job, host);
  const answer = JSON.parse(await answerOf(runtime, host, files, limits)) as { error?: string };
  if (answer?.error !== undefined) throw new Error(answer.error);
  return answer;
}

function answerOf(
  runtime: Runtime,
  host: Host,
  files: Record<string, string | Uint8Array>,
  limits: Limits,
): Promise<string> {
  if (host === "worker") return openWorker(runtime, files, limits);
  if (host === "page") {
    const site = (path: string) => (path === "/index.html" ? PAGE : files[path.slice(1)]);
    return openPage(runtime, site, { ...limits, headers: ISOLATION });
  }
  const args = runtime.name === "deno" ? ["run", "--no-config", "main.js"] : ["main.js"];
  return execute(runtime, args, limits, files);
}
