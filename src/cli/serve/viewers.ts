import { MessageChannel, parentPort, receiveMessageOnPort, Worker, workerData } from "node:worker_threads";
import { PopularPolicy } from "../../baselines/index.js";
import { DAY, type Decision, type LiveEvent, MINUTE, type Policy, type Request } from "../../protocol/index.js";
import { Platform } from "../../simulator/index.js";
import type { FetcherData } from "./fetcher.js";

/** What the thread of the viewers is started with. */
export interface ViewersStart {
  url: string;
  token: string | undefined;
  viewers: number;
  seed: number;
  /** The server's time at the start, and how much faster than the host's it may go. */
  begin: number;
  speed: number;
  /** (1): milliseconds since then, by which the server knows the time: however slow the machine, viewers are never late. */
  clock: BigInt64Array;
}

/** What it tells: a day that is over. */
export interface ViewersDay {
  day: number;
  minutes: number;
  /** Of the same viewers, shown the most watched streams. */
  popular: number;
}

/** Days of a run at most. */
const DAYS = 3650;
/** Most events of one request. */
const BATCH = 1000;

/** Asks a server over HTTP, and waits for the answer: the simulator's viewers wait for no promise. */
class Remote implements Policy {
  readonly name = "server";
  readonly #answered = new Int32Array(new SharedArrayBuffer(4));
  readonly #port: MessagePort;
  readonly #begin: number;
  readonly #clock: BigInt64Array;
  #events: LiveEvent[] = [];

  constructor({ url, token, begin, clock }: ViewersStart) {
    const { port1, port2 } = new MessageChannel();
    const data: FetcherData = { url, token, port: port2, answered: this.#answered };
    new Worker(new URL("./fetcher.js", import.meta.url), { workerData: data, transferList: [port2] }).unref();
    this.#port = port1 as unknown as MessagePort;
    this.#begin = begin;
    this.#clock = clock;
  }

  recommend({ user, now, k }: Request): Decision {
    Atomics.store(this.#clock, 0, BigInt(Math.ceil(now)));
    this.flush();
    return this.#ask("/v1/recommend", { user, k }) as Decision;
  }

  feedback(event: LiveEvent): void {
    this.#events.push({ ...event, time: event.time + this.#begin });
    Atomics.store(this.#clock, 0, BigInt(Math.ceil(event.time)));
    if (this.#events.length >= BATCH) this.flush();
  }

  flush(): void {
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    this.#ask("/v1/events", events);
  }

  #ask(path: string, body: unknown): unknown {
    const before = Atomics.load(this.#answered, 0);
    this.#port.postMessage({ path, body });
    Atomics.wait(this.#answered, 0, before);
    const { message } = receiveMessageOnPort(this.#port as never) as { message: { status: number; body: unknown } };
    if (message.status !== 200) throw new Error(`${path} was answered with ${message.status}`);
    return message.body;
  }
}

const start = workerData as ViewersStart;
const { viewers, seed, speed } = start;
const options = { viewers, seed, days: DAYS, slate: 6 };
const remote = new Remote(start);
const platforms = [remote, new PopularPolicy()].map((policy) => new Platform(policy, options));
const startedAt = Date.now();
const sleeping = new Int32Array(new SharedArrayBuffer(4));
/** Minutes watched until now, by platform. */
const until = [0, 0];

for (let time = MINUTE; time <= DAYS * DAY; time += MINUTE) {
  const early = time / speed - (Date.now() - startedAt);
  if (early > 0) Atomics.wait(sleeping, 0, 0, early);
  for (const platform of platforms) platform.advance(time);
  remote.flush();
  if (time % DAY !== 0) continue;
  const day = time / DAY;
  const [minutes, popular] = platforms.map((platform, i) => {
    const all = platform.metrics().watchMinutesPerViewerDay * day;
    const own = all - until[i]!;
    until[i] = all;
    return own;
  });
  parentPort!.postMessage({ day, minutes: minutes!, popular: popular! } satisfies ViewersDay);
}
