/** Three policies in the same simulated world, and the reader as one more viewer of the learning one. */
import { PopularPolicy } from "../../baselines/index.js";
import { LiveMetrics } from "../../evaluation/index.js";
import { DAY, HOUR, type LiveEvent, MINUTE, type Policy } from "../../protocol/index.js";
import { type Explanation, explanationLines, Recommender } from "../../recommender/index.js";
import { Platform } from "../../simulator/index.js";
import type { Answer, Call, Contestant, Reading, ShownStream } from "./messages.js";

const WORLD = { viewers: 150, streamers: 200, days: 365, slate: 6, seed: 1 };
const YOU = "you";
/** Of intervals: less than for a table that is printed, so that a day is not held up. */
const RESAMPLES = 200;

const say = (answer: Answer) => postMessage(answer);

interface Traits {
  readonly streamer: string;
  readonly category: string;
  viewers: number;
}

/** A policy in its own copy of the world. */
class Stage {
  readonly name: string;
  readonly platform: Platform;
  readonly onAir = new Map<string, Traits>();
  readonly #metrics = new LiveMetrics();
  #days: number[] = [];
  #read: { minutes: Reading; clickRate: Reading } | undefined;

  constructor(name: string, policy: Policy) {
    this.name = name;
    this.platform = new Platform(policy, WORLD, {
      onEvent: (event) => this.#take(event),
      onDecision: (decision) => this.#metrics.decision(decision),
    });
  }

  /** Reads the metrics, once a day. */
  read(): void {
    this.#days = this.platform.result().watchMinutesByDay.slice(0, Math.floor(this.platform.now / DAY));
    const figures = this.#metrics.result({ resamples: RESAMPLES });
    const of = (metric: string) => figures.find((figure) => figure.metric === metric && figure.slice === "all")!;
    this.#read = { minutes: of("watch_min_per_user_day"), clickRate: of("click_rate") };
  }

  contestant(): Contestant {
    const { minutes, clickRate } = this.#read ?? {};
    return { name: this.name, minutesByDay: this.#days, minutes, clickRate };
  }

  #take(event: LiveEvent): void {
    this.#metrics.feedback(event);
    if (event.kind === "on_air") {
      const {
        streamer,
        category,
        viewers = 0,
      } = event as LiveEvent & { viewers?: number; streamer: string; category: string };
      this.onAir.set(event.stream, { streamer, category, viewers });
    } else if (event.kind === "off_air") this.onAir.delete(event.stream);
    else if (event.kind === "update" && event.viewers !== undefined) {
      const traits = this.onAir.get(event.stream);
      if (traits) traits.viewers = event.viewers;
    }
  }
}

class Show {
  readonly #learner = new Recommender({ seed: 1 });
  readonly #stages: readonly Stage[];
  #isRunning = false;
  #visits = 0;
  #decision = "";
  readonly #tastes = new Map<string, number>();

  constructor() {
    this.#stages = [
      new Stage("DQN", this.#learner),
      new Stage("short-sighted", new Recommender({ seed: 1, gamma: 0 })),
      new Stage("most popular", new PopularPolicy()),
    ];
    // So that there is something on air.
    for (const { platform } of this.#stages) platform.advance(6 * HOUR);
  }

  async handle(call: Call): Promise<void> {
    // While the reader chooses, the world waits: its streams would be gone in a blink.
    if (call.type !== "run") this.#isRunning = false;
    if (call.type === "slate") this.#show();
    else if (call.type === "watch") this.#watch(call.stream, call.minutes);
    else if (call.type === "run" && !this.#isRunning) {
      this.#isRunning = true;
      await this.#run();
    }
  }

  async #run(): Promise<void> {
    const { platform } = this.#stages[0]!;
    while (this.#isRunning && platform.now < WORLD.days * DAY) {
      const until = Math.floor(platform.now / HOUR + 1) * HOUR;
      for (const stage of this.#stages) {
        stage.platform.advance(until);
        // The page's calls come between.
        await new Promise((resolve) => setTimeout(resolve));
      }
      if (until % DAY === 0) for (const stage of this.#stages) stage.read();
      this.#tell(until);
    }
  }

  #tell(now: number): void {
    const contestants = this.#stages.map((stage) => stage.contestant());
    const { updates, onAir } = this.#learner.stats();
    say({ type: "world", day: now / DAY, contestants, onAir, updates });
  }

  /** Chooses for the reader, and counts all as seen. */
  #show(): void {
    const { platform, onAir } = this.#stages[0]!;
    const decision = this.#learner.recommend({ user: YOU, now: platform.now, k: WORLD.slate, explain: true });
    this.#decision = decision.id;
    const slate = decision.slate.map((id, i): ShownStream => {
      const reason = reasonOf(decision.explanations?.[i]);
      return { id, ...onAir.get(id)!, propensity: decision.propensities[i]!, reason };
    });
    for (const [position, stream] of decision.slate.entries()) {
      this.#learner.feedback({
        kind: "impression",
        time: platform.now,
        user: YOU,
        stream,
        decision: decision.id,
        position,
      });
    }
    const tastes = [...this.#tastes].sort((a, b) => b[1] - a[1]).slice(0, 5);
    say({ type: "slate", slate, visits: this.#visits, tastes });
  }

  /** The reader watches; the world goes on meanwhile. */
  #watch(stream: string, minutes: number): void {
    const { platform, onAir } = this.#stages[0]!;
    const traits = onAir.get(stream);
    if (traits !== undefined) {
      const visit = { user: YOU, stream, decision: this.#decision };
      this.#visits++;
      this.#tastes.set(traits.category, (this.#tastes.get(traits.category) ?? 0) + minutes);
      this.#learner.feedback({ kind: "click", time: platform.now, ...visit });
      platform.advance(platform.now + minutes * MINUTE);
      this.#learner.feedback({ kind: "watch", time: platform.now, ...visit, watchMs: minutes * MINUTE });
    }
    this.#show();
  }
}

function reasonOf(explanation: Explanation | undefined): string {
  return explanation === undefined ? "" : (explanationLines(explanation)[0] ?? "");
}

let show: Show | undefined;

addEventListener("message", ({ data }: MessageEvent<Call>) => {
  try {
    show ??= new Show();
    show.handle(data).catch((error: Error) => say({ type: "failed", message: error.message }));
  } catch (error) {
    say({ type: "failed", message: (error as Error).message });
  }
});
