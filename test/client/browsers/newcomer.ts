import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browse } from "../../runtimes/execute.js";
import { npm, type Runtime, run } from "../../runtimes/install.js";
import { Served } from "./served.js";
import { platformSite } from "./site.js";

/** What a newcomer may need, seconds. */
const TARGET_S = 90;
const LIMITS = { timeoutMs: 85_000 };

/** What a newcomer writes: a page without a bundler. It says when it shows its first slate, and its first learned one. */
const PAGE = `<!doctype html>
<meta charset="utf-8">
<ul id="slate"></ul>
<script type="module">
  import { LiveQClient, PageTracker } from "/node_modules/liveq/dist/client/index.js";
  const { url } = await (await fetch("/run.json")).json();
  const client = new LiveQClient({ url });
  const tracker = new PageTracker({ client });
  await tracker.start();
  const tell = (path, value) => fetch(path, { method: "POST", body: JSON.stringify(value) });
  for (let first = true; ; first = false) {
    const { model, modelUpdates } = await client.models();
    const { id, slate, scores } = await tracker.recommend({ k: 6 });
    const list = document.querySelector("#slate");
    list.dataset.liveqDecision = id;
    list.replaceChildren(...slate.map((stream) => {
      const card = document.createElement("li");
      card.dataset.liveqStream = card.textContent = stream;
      return card;
    }));
    if (first) tell("/shown", slate);
    if (model > 0 && slate.length > 0) {
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      await tell("/learned", { slate, scores, model, modelUpdates, html: list.children.length });
      break;
    }
    await client.events([{ kind: "like", user: tracker.user, stream: slate[0] ?? "none" }]).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
</script>
`;

/** From an empty folder to the first slate of a model that has learned, in a page: seconds, step by step. */
export async function checkNewcomer(browser: Runtime): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "liveq-newcomer-"));
  let server: Served | undefined;
  let site: Awaited<ReturnType<typeof platformSite>> | undefined;
  try {
    run([...npm(), "pack", "--pack-destination", folder, "--ignore-scripts"]);
    const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz"))!);
    const app = join(folder, "app");
    mkdirSync(app);
    const start = performance.now();
    const seconds = () => (performance.now() - start) / 1000;
    const steps: [string, number][] = [];
    const step = (name: string) => void steps.push([name, seconds()]);
    run([...npm(), "install", "--prefix", app, "--no-audit", "--no-fund", tarball], { cwd: app });
    step("installed");
    site = await platformSite(app);
    const command = [...npm(), "exec", "--prefix", app, "--", "liveq"];
    server = await new Served(command, ["--simulate", "--origin", site.origin], app).start();
    step("serves");
    writeFileSync(join(app, "index.html"), PAGE);
    site.files.set("/run.json", JSON.stringify({ url: server.url }));
    const shown = site.posted("/shown").then(() => step("first slate"));
    const learned = site.posted("/learned");
    const answer = await browse(browser, `${site.origin}/`, learned, LIMITS);
    await shown;
    step("first learned slate");
    const { slate, model, modelUpdates } = JSON.parse(answer);
    const told = steps.map(([name, s]) => `${name} ${s.toFixed(1)} s`).join(", ");
    const text = `${told}: ${slate.length} streams by model ${model} of ${modelUpdates} updates`;
    if (seconds() > TARGET_S) throw new Error(`more than ${TARGET_S} s: ${text}`);
    return text;
  } finally {
    await server?.stop();
    site?.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
