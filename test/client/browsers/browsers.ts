import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { LiveQClient } from "../../../src/client/index.js";
import type { LiveEvent } from "../../../src/protocol/index.js";
import { browse } from "../../runtimes/execute.js";
import type { Runtime } from "../../runtimes/install.js";
import { type Logged, logged, Served } from "./served.js";
import { bundled, platformSite } from "./site.js";

const SECRET = "a-token-that-may-do-all";
const PAGE = "a-token-for-a-page";
const USER = "u1";
/** The server ends watches without a heartbeat after so long: a page beats each second, where it gets a core. */
const BEAT_TIMEOUT_MS = 8000;
const STREAMS = 5;
/** A browser that is started again would visit twice. */
const LIMITS = { timeoutMs: 300_000, starts: 1 };
/** By how much a watch may be longer than the page measured: it ends a moment after what ends it. */
const LATER_MS = 1000;

function require(isTrue: boolean, what: string, got: unknown): void {
  if (!isTrue) throw new Error(`${what}: ${JSON.stringify(got)}`);
}

interface Visited {
  id: string;
  slate: string[];
  /** Milliseconds that elements were in the page, which no watch of them exceeds. */
  most: { live: number; short: number; other: number };
}

/** A page in a browser against a server as a process: what a visitor does there is in the server's log, once. */
export async function checkBrowser(browser: Runtime): Promise<string> {
  mkdirSync(".build", { recursive: true });
  const folder = mkdtempSync(resolve(".build", "client-"));
  const site = await platformSite();
  let server: Served | undefined;
  try {
    const options = join(folder, "options.json");
    writeFileSync(options, JSON.stringify({ seed: 1, pending: { beatTimeoutMs: BEAT_TIMEOUT_MS } }));
    const words = ["--dir", "data", "--options", options, "--origin", site.origin];
    const tokens = ["--token", SECRET, `${PAGE}=recommend,events`];
    const command = [process.execPath, resolve("dist/cli/liveq.js")];
    server = await new Served(command, [...words, ...tokens], folder).start();
    const client = new LiveQClient({ url: server.url, token: SECRET });
    for (let i = 0; i < STREAMS; i++) await client.onAir(`s${i}`, { streamer: `r${i}`, category: "chess" });
    site.headers["content-security-policy"] =
      `default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; media-src blob:; connect-src 'self' ${server.url}`;
    site.files.set(
      "/index.html",
      '<!doctype html><meta charset="utf-8"><body><script type="module" src="/main.js"></script>',
    );
    site.files.set("/main.js", await bundled("test/client/browsers/page.ts"));
    const storage = browser.name === "firefox" ? "indexedDB" : "localStorage";
    site.files.set("/run.json", JSON.stringify({ url: server.url, token: PAGE, user: USER, storage }));
    const failed = site.posted("/failed").then((text) => Promise.reject(new Error(text)));
    const lostEnds = async () => (await client.stats()).recommender["lostEnds"] as number;
    // Before the watch that is lost begins: later the server may have counted it.
    let before = 0;
    const visited = site.posted("/visited").then(async (text) => {
      const { slate } = JSON.parse(text) as Visited;
      site.files.set("/clicked.json", JSON.stringify({ stream: slate[0] }));
      before = await lostEnds();
      return text;
    });
    const watched = site.posted("/watched");
    failed.catch(() => {});
    const answer = Promise.race([failed, watched]);
    await browse(browser, `${site.origin}/`, answer, { ...LIMITS, end: "SIGKILL" }).catch((error: Error) => {
      throw new Error(`${error.message}; the page: ${site.latest.get("/at") ?? "did not begin"}`);
    });
    const ended = await lostEnd(client, before);
    const profile = await client.profile(USER);
    const counts = await client.stats();
    await server.stop();
    const events = await eventsOf(join(folder, "data"));
    // Those of the streams too.
    const wanted = events.length + STREAMS;
    require(counts.events === wanted, "events that counted", { counted: counts.events, wanted });
    return `${checkEvents(events, JSON.parse(await visited))}; ${ended}; known of the visitor: ${Object.keys(profile!).length} fields`;
  } finally {
    // Also where a check failed: a server that is left would keep this process.
    await server?.stop();
    site.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Waits until the server has ended the watch of the tab that was killed: some time without a heartbeat must have passed,
 * and an end more than before be lost. A page that had to wait for a core may have lost one more.
 */
async function lostEnd(client: LiveQClient, before: number): Promise<string> {
  const killed = performance.now();
  for (;;) {
    // Any request lets the server look at the time.
    await client.recommend({ user: "somebody else", k: 1 });
    const { recommender } = await client.stats();
    const ms = performance.now() - killed;
    if (ms > BEAT_TIMEOUT_MS && (recommender["lostEnds"] as number) > before) {
      return `a killed tab's watch ended within ${(ms / 1000).toFixed(1)} s`;
    }
    require(ms < 60_000, "the watch of a killed tab does not end", { recommender, before });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The events of users, each once: what came again, as a page that ends repeats what has no answer, was no other. */
async function eventsOf(folder: string): Promise<Logged[]> {
  const found = new Map<string, Logged>();
  for (const record of await logged(folder)) {
    if (!("user" in record.event)) continue;
    const { id } = record.event;
    const before = found.get(id!);
    const isSame = before === undefined || JSON.stringify(before.event) === JSON.stringify(record.event);
    require(isSame, "an id stands for two events", [before, record]);
    found.set(id!, before ?? record);
  }
  return [...found.values()];
}

/** @throws Error for what is missing, too much, or wrong. */
function checkEvents(taken: readonly Logged[], { id, slate, most }: Visited): string {
  const of = (kind: LiveEvent["kind"], stream: string) =>
    taken
      .map(({ event }) => event as LiveEvent & Record<string, unknown>)
      .filter((event) => {
        return event.kind === kind && event["stream"] === stream;
      });
  const lengths = (kind: LiveEvent["kind"], stream: string) =>
    of(kind, stream).map((event) => event["watchMs"] as number);
  require(taken.every(({ event }) => "user" in event && event.user === USER), "the user is another", taken);
  const skews = taken.map(({ now, event }) => now - event.time);
  // The page's clock is five hours behind. What a hidden page could not send waits for the next one.
  require(Math.min(...skews) > -500 && Math.max(...skews) < 20_000, "times are not the server's", skews);
  const seen = slate.map((stream) => of("impression", stream).map(({ position, decision }) => [position, decision]));
  const wanted = [0, 1, 2].map((position) => [[position, id]]);
  require(JSON.stringify(seen) === JSON.stringify([...wanted, [], []]), "impressions", seen);
  const clicks = slate.map((stream) => of("click", stream).map(({ decision }) => decision));
  require(JSON.stringify(clicks) === JSON.stringify([[id], [], [], [], []]), "clicks", clicks);
  const [first, second, third] = slate as [string, string, string];
  const [live, again, ...more] = lengths("watch", first);
  const within = (ms: number | undefined, least: number, of: keyof Visited["most"]) =>
    ms! > least && ms! < most[of] + LATER_MS;
  require(within(live, 2500, "live"), "the watch of an element that goes", [live, most]);
  require(within(again, 1000, "other") && more.length === 0, "the watch of a page that ends", [again, more, most]);
  const short = lengths("watch", second);
  require(short.length === 1 && within(short[0], 500, "short"), "the watch of a clip that ends", [short, most]);
  const other = lengths("watch", third);
  require(other.length === 1 && within(other[0], 800, "other"), "the watch of an element that changes", [other, most]);
  const beats = of("heartbeat", first);
  const own = lengths("heartbeat", first);
  require(own.length >= 5, "heartbeats", own);
  const last = beats.at(-1)!;
  require(last["decision"] === id, "the decision of a click on the page before", last);
  require((taken.at(-1)!.event as { kind: string }).kind === "heartbeat", "a killed tab reports no end", taken.at(-1));
  const counts = new Map<string, number>();
  for (const { event } of taken) counts.set(event.kind, (counts.get(event.kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(", ");
}
