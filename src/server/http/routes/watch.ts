import type { Figure } from "../../../statistics/index.js";
import { HttpError } from "../../body.js";
import type { TailItem } from "../../edge/tail.js";
import { type Desk, type Handlers, json, objectOf, RETRY } from "../desk.js";
import type { MetricsSummary } from "../metrics.js";

/** What a watcher is told each second. */
export interface WatchState {
  /** Host's time, milliseconds. */
  readonly at: number;
  readonly stats: ReturnType<Desk["options"]["edge"]["stats"]>;
  readonly recommender: ReturnType<Desk["options"]["edge"]["recommenderStats"]>;
  readonly log: ReturnType<Desk["options"]["edge"]["logStats"]>;
  readonly models: ReturnType<Desk["options"]["edge"]["models"]>;
  readonly trial: ReturnType<Desk["options"]["edge"]["trial"]>;
  readonly metrics: MetricsSummary;
  readonly inHand: number;
  /** What the policy has brought, read now and then. */
  readonly figures: readonly Figure[];
  /** What happened since the state before; at most the latest 200. */
  readonly tail: readonly TailItem[];
}

/** Milliseconds between two states, and between two readings of the figures, which take the learner's time. */
const STATE_MS = 1000;
const FIGURES_MS = 10_000;
const STREAM = { "content-type": "text/event-stream", "cache-control": "no-store" };
/** Watchers at one time; more get 429. */
const WATCHERS = 32;

/** The state of a server as it goes on, for whoever watches; costs nothing while nobody does. */
class Watch {
  readonly #desk: Desk;
  #figures: readonly Figure[] = [];
  #read = Number.NEGATIVE_INFINITY;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** @throws HttpError where too many watch. */
  answer(): Response {
    const { metrics } = this.#desk;
    if (metrics.watchers >= WATCHERS) throw new HttpError(429, `at most ${WATCHERS} may watch at one time`, RETRY);
    metrics.watchers++;
    let timer: ReturnType<typeof setInterval> | undefined;
    let next = 0;
    const end = () => {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      metrics.watchers--;
    };
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const tell = () => {
          if (this.#desk.isDraining) {
            end();
            controller.close();
            return;
          }
          // Who does not read what there is gets no more.
          if ((controller.desiredSize ?? 0) <= 0) return;
          const state = this.#state(next);
          next = (state.tail.at(-1)?.n ?? next - 1) + 1;
          controller.enqueue(encoder.encode(`data: ${JSON.stringify(state)}\n\n`));
        };
        timer = setInterval(tell, STATE_MS);
        tell();
      },
      cancel: end,
    });
    return new Response(body, { headers: STREAM });
  }

  #state(since: number): WatchState {
    const { options, metrics, inHand } = this.#desk;
    const { edge, now } = options;
    this.#readFigures();
    return {
      at: now(),
      stats: edge.stats(),
      recommender: edge.recommenderStats(),
      log: edge.logStats(),
      models: edge.models(),
      trial: edge.trial(),
      metrics: metrics.summary(),
      inHand,
      figures: this.#figures,
      tail: edge.tail.since(since),
    };
  }

  #readFigures(): void {
    const clock = performance.now();
    if (clock - this.#read < FIGURES_MS) return;
    this.#read = clock;
    const { edge } = this.#desk.options;
    // Without a learner there are no new ones.
    edge.figures().then(
      (figures) => {
        this.#figures = figures;
      },
      () => {},
    );
  }
}

/** What a dashboard asks for. */
export function watchRoutes(desk: Desk): Handlers {
  const watch = new Watch(desk);
  const { edge } = desk.options;
  return {
    // Whoever asks for the head alone reads nothing, and never goes.
    watch: ({ req }) => (req.method === "HEAD" ? new Response(null, { headers: STREAM }) : watch.answer()),
    preview: async ({ req }) => {
      return json(edge.preview((await objectOf(desk, req.raw)) as unknown as Parameters<typeof edge.preview>[0]));
    },
  };
}
