/** The page of a platform, with a clock that is hours wrong. Nothing here is run by Node. */
import { indexedDbStorage, LiveQClient, PageTracker } from "liveq/client";

interface Run {
  url: string;
  token: string;
  user: string;
  /** What keeps queued events. */
  storage: "localStorage" | "indexedDB";
}

const WRONG_MS = -5 * 3_600_000;
const real = Date.now.bind(Date);
Date.now = () => real() + WRONG_MS;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const tell = (path: string, value: unknown) => fetch(path, { method: "POST", body: JSON.stringify(value) });
/** Says how far it is: whoever waits in vain knows for what. A page that goes takes that with it. */
const at = (step: string) => void tell("/at", `${step}, ${Math.round(performance.now())} ms`).catch(() => {});

/** A picture that moves for ever. */
function movie(): MediaStream {
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 36 });
  const context = canvas.getContext("2d")!;
  let frame = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${(frame += 7) % 360} 80% 50%)`;
    context.fillRect(0, 0, 64, 36);
  }, 40);
  return canvas.captureStream(25);
}

/** A file of about a second. */
async function clip(): Promise<Blob> {
  const recorder = new MediaRecorder(movie());
  const pieces: Blob[] = [];
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  const stopped = new Promise((resolve) => {
    recorder.onstop = resolve;
  });
  // What no picture has come to yet, as the machine is busy, would be no file that plays.
  await happened(recorder, "start", () => recorder.start(100));
  while (pieces.reduce((sum, { size }) => sum + size, 0) === 0) await pause(20);
  await pause(1200);
  recorder.stop();
  await stopped;
  return new Blob(pieces, { type: recorder.mimeType });
}

/** Waits for an event of what an action begins. @throws Error where it fails instead. */
function happened(target: EventTarget, type: string, action: () => unknown = () => {}): Promise<void> {
  return new Promise((resolve, reject) => {
    target.addEventListener(type, () => resolve(), { once: true });
    target.addEventListener("error", () => reject(new Error(`no ${type}: ${describe(target)}`)), { once: true });
    action();
  });
}

function describe(target: EventTarget): string {
  if (!(target instanceof HTMLMediaElement)) return target.constructor.name;
  const { error, currentTime, duration, readyState } = target;
  return JSON.stringify({ error: error?.message, currentTime, duration, readyState });
}

function video(stream: string, source: MediaStream | Blob, decision?: string): HTMLVideoElement {
  const element = Object.assign(document.createElement("video"), { muted: true, autoplay: true });
  element.dataset["liveqStream"] = stream;
  if (decision !== undefined) element.dataset["liveqDecision"] = decision;
  if (source instanceof Blob) element.src = URL.createObjectURL(source);
  else element.srcObject = source;
  document.body.append(element);
  // What goes before it has begun was not meant to play.
  element.play().catch((error: Error) => {
    if (element.isConnected) void tell("/failed", `${stream}: ${error.message}`);
  });
  return element;
}

/** A list of cards, the last of which are out of sight. */
function cards(decision: string, slate: readonly string[]): HTMLElement[] {
  const list = document.createElement("ul");
  list.dataset["liveqDecision"] = decision;
  const all = slate.map((stream, position) => {
    const card = Object.assign(document.createElement("li"), { textContent: stream });
    card.dataset["liveqStream"] = stream;
    card.dataset["liveqPosition"] = String(position);
    card.style.height = "40px";
    if (position === 4) card.style.marginTop = "9000px";
    if (position === 3) card.hidden = true;
    const menu = Object.assign(document.createElement("button"), { textContent: "menu" });
    menu.dataset["liveqIgnore"] = "";
    card.append(menu);
    return card;
  });
  list.append(...all);
  document.body.prepend(list);
  return all;
}

/** Sees cards, clicks one, watches in three ways, and leaves for another page with one that plays. */
async function visit(tracker: PageTracker, client: LiveQClient): Promise<void> {
  const { id, slate } = await tracker.recommend({ k: 5 });
  const [first, second, third] = slate as [string, string, string];
  const list = cards(id, slate);
  at("shown");
  await pause(1500);
  list[0]!.querySelector("button")!.click();
  list[0]!.click();
  const live = video(first, movie(), id);
  const began = performance.now();
  await happened(live, "playing");
  at("recording");
  const file = await clip();
  at("recorded");
  const shorts = performance.now();
  await happened(video(second, file, id), "ended");
  const shortMs = performance.now() - shorts;
  at("played");
  await pause(2500);
  live.remove();
  const liveMs = performance.now() - began;
  await pause(500);
  // An element that comes to show another stream.
  const other = video(third, movie());
  const others = performance.now();
  await happened(other, "playing");
  await pause(1500);
  other.dataset["liveqStream"] = first;
  await pause(1500);
  // No watch is longer than what it was in the page.
  const otherMs = performance.now() - others;
  at("leaves");
  const most = { live: liveMs, short: shortMs, other: otherMs };
  await tell("/visited", { id, slate, most, stats: client.queueStats() });
  location.href = "/next";
}

/** Watches until somebody kills the tab. */
async function watch(client: LiveQClient): Promise<void> {
  const { stream } = await (await fetch("/clicked.json")).json();
  video(stream, movie());
  at("watches");
  const { sent } = client.queueStats();
  // Each second a heartbeat.
  while (client.queueStats().sent < sent + 3) await pause(20);
  await tell("/watched", client.queueStats());
}

/** A database keeps what it is given. */
async function checkDatabase(): Promise<void> {
  const storage = indexedDbStorage("check");
  await storage.setItem("a", "1");
  await storage.setItem("b", "2");
  await storage.removeItem("b");
  const found = [await storage.keys!(), await storage.getItem("a"), await storage.getItem("b")];
  if (JSON.stringify(found) !== '[["a"],"1",null]') throw new Error(`the database holds ${JSON.stringify(found)}`);
}

async function main(): Promise<void> {
  await checkDatabase();
  const { url, token, user, storage }: Run = await (await fetch("/run.json")).json();
  const problems: string[] = [];
  const client = new LiveQClient({
    ...{ url, token, batchMs: 200, storage: storage === "indexedDB" ? indexedDbStorage() : localStorage },
    onError: (error) => problems.push(String(error)),
    onRefused: (event, { message }) => problems.push(`${event.kind}: ${message}`),
  });
  const tracker = new PageTracker({
    ...{ client, user, storage: localStorage, impressionMs: 500, heartbeatMs: 1000, idleMs: 1500 },
  });
  if (client.queueStats().queued !== 0) throw new Error("something waits before the start");
  await tracker.start();
  if (location.pathname === "/next") await watch(client);
  else await visit(tracker, client);
  if (problems.length > 0) throw new Error(problems.join("; "));
}

const failed = (error: Error) => tell("/failed", `${error.name}: ${error.message}`);
addEventListener("error", ({ error }) => void failed(error));
addEventListener("unhandledrejection", ({ reason }) => void failed(reason));
at("begun");
main().catch(failed);
