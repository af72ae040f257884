/** The dashboard of a server with many viewers and streams: what it shows, what it changes, and what it costs. */
import { type ChildProcess, fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Tab } from "./browser/tab.js";
import type { HostCall, HostStart } from "./host.js";
import { inspect, type Pictures, require, requireOwnHost, widen } from "./views.js";

const ADMIN = "a-token-that-may-do-all";
const READER = "a-token-that-only-reads";
const START: HostStart = {
  users: 100_000,
  streams: 10_000,
  tokens: [
    { secret: ADMIN, scopes: ["read", "admin", "events", "recommend"] },
    { secret: READER, scopes: ["read"] },
  ],
};
/** Viewers whose slates are compared. */
const ASKED = 40;
/** Visits until there are some models. */
const VISITS = 800;
/** States during which the page's tasks are watched. */
const STATES = 12;
/** Milliseconds that a task may take, and between two frames of most: others may want the cores too. */
const [TASK_MS, FRAME_MS] = [50, 50];

interface Told {
  models: number[];
  live: number;
}

/** The server as a process. */
export class DashboardHost {
  readonly url: string;
  readonly headers = { "content-type": "application/json", authorization: `Bearer ${ADMIN}` };
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  static async start(): Promise<DashboardHost> {
    const child = fork("test/pages/host.ts", [JSON.stringify(START)], { execArgv: ["--import", "tsx"] });
    process.once("exit", () => child.kill("SIGKILL"));
    const ended = once(child, "exit").then(([code]) => Promise.reject(new Error(`the server ended with ${code}`)));
    ended.catch(() => {});
    const [{ url }] = (await Promise.race([once(child, "message"), ended])) as [{ url: string }];
    return new DashboardHost(url, child);
  }

  async tell(call: HostCall): Promise<Told> {
    this.#child.send(call);
    return ((await once(this.#child, "message")) as [Told])[0];
  }

  /** Asks the server as a program does. */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.url + path, {
      method,
      headers: this.headers,
      body: (body as never) && JSON.stringify(body),
    });
    const text = await response.text();
    require(response.ok, `${method} ${path}`, text);
    return (text.startsWith("{") ? JSON.parse(text) : text) as T;
  }

  /** SHA-256 of the slates and values of some viewers: a text of a number has all bits of it. */
  async hash(): Promise<string> {
    const digest = createHash("sha256");
    for (let i = 0; i < ASKED; i++) {
      const asked = { user: `u${i * 7}`, k: 10, explain: false };
      const { slate, scores } = await this.ask<{ slate: string[]; scores: number[] }>("POST", "/v1/preview", asked);
      digest.update(JSON.stringify([slate, scores]));
    }
    return digest.digest("hex");
  }

  /** How many pages watch it. */
  async watchers(): Promise<number> {
    return Number(/^liveq_watchers (\d+)$/m.exec(await this.ask<string>("GET", "/metrics"))![1]);
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }
}

const number = (name: string) => `Number(figure(${JSON.stringify(name)})?.replaceAll(",", ""))`;
const row = (key: string | number, within = "table") => `document.querySelector('${within} tr[data-key="${key}"]')`;

async function see(tab: Tab, view: string): Promise<void> {
  await tab.evaluate(`location.hash = ${JSON.stringify(`#${view}`)}`);
  await tab.until(`document.querySelector('nav a[href="#${view}"]').ariaCurrent === "page"`);
}

/** All that the dashboard shows and does. */
export async function checkDashboard(tab: Tab, host: DashboardHost, pictures: Pictures): Promise<string> {
  await host.tell({ call: "visits", count: VISITS });
  const { status } = await fetch(`${host.url}/v1/experiment`, { method: "DELETE", headers: host.headers });
  require(status === 200 || status === 404, "the end of a test that another browser left", status);
  await host.tell({ call: "settle" });
  const url = await tab.behind(host.url);
  await tab.open(`${url}/`);
  await logIn(tab);
  await requireOwnHost(tab, url);
  await checkLive(tab, host);
  const told = [await checkRollback(tab, host), await checkViewer(tab)];
  await checkTrial(tab, host);
  await checkOperation(tab, host);
  for (const view of ["now", "viewer", "models", "operation", "tail"]) {
    await see(tab, view);
    if (view === "now") await busy(host);
    if (view === "viewer") await preview(tab);
    await inspect(tab, view, { ...pictures, room: "dashboard" });
  }
  await see(tab, "models");
  await tab.click("End it");
  await tab.until(`byText("Start")`, "the test has ended");
  told.push(await checkSmooth(tab, host), await checkClosed(tab, host));
  return told.join("; ");
}

/** Requests during some states, so that the charts have what to show. */
async function busy(host: DashboardHost): Promise<void> {
  for (let state = 0; state < 4; state++) {
    for (let i = 0; i < 5; i++) await host.ask("POST", "/v1/recommend", { user: `u${i}`, k: 6 });
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** Without a token it shows nothing but the question for one; a wrong one is named. */
async function logIn(tab: Tab): Promise<void> {
  const give = async (secret: string) => {
    await tab.until(`document.querySelector('input[type="password"]')`, "the question for a token");
    await tab.evaluate(`put(document.querySelector('input[type="password"]'), ${JSON.stringify(secret)})`);
    await tab.click("Open");
  };
  await tab.until(`/a token is needed/.test(document.querySelector("[role=alert]")?.textContent)`);
  require(!(await tab.evaluate(`document.querySelector("dl")`)), "shown without a token", "figures");
  await give("a-token-of-somebody-else");
  await tab.until(`document.querySelector('input[type="password"]')`, "a wrong token is asked for again");
  await give(ADMIN);
  await tab.until(`${number("Viewers")} >= ${START.users}`, "the figures of the server");
  require((await tab.evaluate<number>(number("Streams on air"))) === START.streams, "streams on air", START.streams);
  await tab.reload();
  await tab.until(`${number("Slates")} > 0`, "the tab keeps its token");
  // What the refusals wrote to the console is wanted.
  tab.errors.splice(0);
}

/** Figures and the tail follow what happens. */
async function checkLive(tab: Tab, host: DashboardHost): Promise<void> {
  const before = await tab.evaluate<number>(number("Slates"));
  for (let i = 0; i < 5; i++) await host.ask("POST", "/v1/recommend", { user: `u${i}`, k: 6 });
  await host.tell({ call: "visits", count: 25 });
  await tab.until(`${number("Slates")} === ${before + 30}`, "slates that were made meanwhile");
  await tab.until(
    ["click_rate", "return_within_1d", "exposure_gini", "stream_coverage"].map((name) => row(name)).join(" && "),
    "figures with intervals",
  );
  const interval = await tab.evaluate<string>(`${row("click_rate")}.cells[2].textContent`);
  require(/^[\d.]+ to [\d.]+$/.test(interval), "the interval of the click rate", interval);
  const charts = await tab.evaluate<string[]>(
    `[...document.querySelectorAll("figure [role=img]")].map((one) => one.ariaLabel)`,
  );
  for (const name of [
    "gradient norm [\\d.]",
    "Mean value.*mean Q -?[\\d.]",
    "TD error.*median -?[\\d.]",
    "Recommend, p99.*at most [\\d.]",
    "Gini of exposure.* [\\d.]",
  ]) {
    require(charts.some((label) => new RegExp(name).test(label)), `a chart of ${name}`, charts);
  }
  await see(tab, "tail");
  await tab.until(`document.querySelectorAll("tbody tr").length > 20`, "a tail");
  const kinds = await tab.evaluate<string[]>(
    `[...document.querySelectorAll("tbody tr")].map((one) => one.cells[1].textContent)`,
  );
  require(["decision", "click", "watch"].every((kind) => kinds.includes(kind)), "what the tail tells", kinds);
}

/** One click goes back to an older model to the last bit, and another to the newest. */
async function checkRollback(tab: Tab, host: DashboardHost): Promise<string> {
  const { models, live } = await host.tell({ call: "settle" });
  const old = models.at(-3)!;
  require(models.length >= 4 && live === models.at(-1), "models to go back to", { models, live });
  const newest = await host.hash();
  await host.ask("POST", "/v1/models/rollback", { version: old });
  const wanted = await host.hash();
  await host.ask("POST", "/v1/models/release");
  require(newest !== wanted && (await host.hash()) === newest, "models differ, and hashes tell them", {
    newest,
    wanted,
  });
  await see(tab, "models");
  const answers = (version: number, text: string) => `${row(version)}?.cells[4].textContent === "${text}"`;
  await tab.until(answers(live, "yes"), "the newest answers");
  await tab.click(`Go to ${old}`);
  await tab.until(answers(old, "yes, pinned"), "the old model answers");
  require((await host.hash()) === wanted, "the old model is back to the last bit", { old, wanted });
  await tab.click("Let the newest answer again");
  await tab.until(answers(live, "yes"), "the newest answers again");
  require((await host.hash()) === newest, "the newest is back to the last bit", { live, newest });
  return `back to model ${old} of ${live} and forth with the same bits`;
}

async function preview(tab: Tab): Promise<void> {
  await tab.evaluate(`put(fieldOf("Viewer"), "u42")`);
  await tab.click("Show");
  await tab.until(`document.querySelectorAll("ol li").length === 6`, "a slate");
  await tab.evaluate(`document.querySelector("ol details").open = true`);
}

/** What a viewer would be shown, with value, probability, sources and groups; and nothing is remembered. */
async function checkViewer(tab: Tab): Promise<string> {
  const before = await tab.evaluate<number>(`(location.hash = "#now", sleep(300).then(() => ${number("Slates")}))`);
  await see(tab, "viewer");
  await preview(tab);
  const shown = await tab.evaluate<string[]>(`[...document.querySelectorAll("ol li")].map((one) => one.innerText)`);
  for (const one of shown) require(/value -?[\d.]+; [\d.]+ % to be here/.test(one), "value and probability", one);
  require(/Found by \w+/.test(shown[0]!) && /shown (1st|first)/.test(shown[0]!), "the reasons", shown[0]);
  const groups = await tab.evaluate<number>(`document.querySelectorAll("ol details[open] tbody tr").length`);
  require(groups >= 3, "groups of features", groups);
  await tab.until(`document.querySelectorAll("section:last-child tbody tr").length === 50`, "what is on air");
  await see(tab, "now");
  require((await tab.evaluate<number>(number("Slates"))) === before, "a preview counts as a slate", before);
  return `${groups} reasons a stream`;
}

/** A test of two policies is begun in the page, and its interval comes in. */
async function checkTrial(tab: Tab, host: DashboardHost): Promise<void> {
  await see(tab, "models");
  await tab.evaluate(`put(fieldOf("Name"), "popular or not")`);
  await tab.evaluate(`put(fieldOf("Share of viewers"), "2")`);
  await tab.click("Start");
  await tab.until(
    `/"share" must be/.test(document.querySelector("[role=alert]")?.textContent)`,
    "a wrong share is named",
  );
  await tab.evaluate(`put(fieldOf("Share of viewers"), "0.5")`);
  await tab.evaluate(`put(fieldOf("Hours that count"), "1")`);
  await tab.click("Start");
  await tab.until(`figure("Test") === "popular or not"`, "the test has begun");
  await host.tell({ call: "visits", count: 600 });
  await tab.until(
    `/, [1-9]\\d* viewers/.test(figure("Arm a")) && /, [1-9]\\d* viewers/.test(figure("Arm b"))`,
    "both arms",
  );
  await tab.until(`/\\[-?[\\d.]+, -?[\\d.]+\\]/.test(figure("b above a"))`, "an interval that holds at all looks");
  await tab.until(`document.querySelector('figure [aria-label^="b above a"]')`, "the curve of the interval");
  tab.errors.splice(0, tab.errors.length, ...tab.errors.filter((text) => !/status of 400|v1\/experiment/.test(text)));
}

/** Latencies as a histogram, queues, and what was refused by its reason. */
async function checkOperation(tab: Tab, host: DashboardHost): Promise<void> {
  const body = JSON.stringify([{ kind: "watch", time: -1, user: "u1", stream: "s1", watchMs: 10 }]);
  await fetch(`${host.url}/v1/events`, { method: "POST", headers: host.headers, body });
  await see(tab, "operation");
  await tab.until(
    `/^(?!None)/.test(byText("Events that were refused", "h2").nextElementSibling.textContent)`,
    "a reason",
  );
  await tab.until(`${row("/v1/preview")}`, "the latencies of routes");
  await tab.evaluate(`put(fieldOf("Route"), "/v1/preview")`);
  const counts = `[...document.querySelectorAll(".meter")].map((one) => Number(one.closest("tr").cells[1].textContent.replaceAll(",", "")))`;
  const total = `Number(${row("/v1/preview")}.cells[1].textContent.replaceAll(",", ""))`;
  await tab.until(`${counts}.reduce((sum, count) => sum + count, 0) === ${total}`, "a histogram of all answers");
  for (const queue of ["Requests in hand", "Records to learn", "Updates that are due", "Waiting for the disk"]) {
    require((await tab.evaluate(`figure(${JSON.stringify(queue)})`)) !== null, "a queue", queue);
  }
}

/** While viewers come, no task of the page's thread takes long, where the browser tells it, and frames come. */
async function checkSmooth(tab: Tab, host: DashboardHost): Promise<string> {
  await widen(tab);
  await tab.evaluate(`(globalThis.frames = [],
    requestAnimationFrame(function next(at) { frames.push(at); requestAnimationFrame(next); }), 0)`);
  const tasks = await tab.tasks(async () => {
    for (let state = 0; state < STATES; state++) {
      await see(tab, ["now", "models", "operation", "tail"][state % 4]!);
      await host.tell({ call: "visits", count: 10 });
      await tab.evaluate("sleep(1000)");
    }
  });
  const longest = tasks && Math.max(...tasks);
  require((longest ?? 0) <= TASK_MS, "the longest task of the page", longest);
  const gaps = await tab.evaluate<number[]>("frames.slice(1).map((at, i) => at - frames[i]).sort((a, b) => a - b)");
  const at = (share: number) => gaps[Math.floor(share * (gaps.length - 1))]!;
  require(at(0.5) <= FRAME_MS, "milliseconds between two frames", at(0.5));
  const told = longest === undefined ? "" : `longest task ${longest.toFixed(0)} ms, `;
  const frames = `frames of ${at(0.5).toFixed(0)} ms, p99 ${at(0.99).toFixed(0)} ms`;
  return `${START.users} viewers, ${START.streams} streams: ${told}${frames}`;
}

/** Who leaves costs the server nothing. */
async function checkClosed(tab: Tab, host: DashboardHost): Promise<string> {
  require((await host.watchers()) === 1, "one page watches", await host.watchers());
  await tab.open("about:blank");
  for (let i = 0; (await host.watchers()) > 0; i++) {
    require(i < 200, "a closed page still watches", await host.watchers());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return "a closed page is not watched for";
}
