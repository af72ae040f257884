/** What a hundredth of all accounts, run by scripts that push one streamer, do to what honest viewers see and watch. */

import { DAY, HOUR, type Id, MINUTE, type OnAir } from "../../../src/protocol/index.js";
import { Recommender, type RecommenderOptions } from "../../../src/recommender/index.js";
import { Platform } from "../../../src/simulator/index.js";
import type { CaseContext, ProcessCase, Result } from "../../harness/suite.js";

/** Worlds after the first hundred, which tuning did not use; the attack begins with the time that counts. */
const WORLD = { viewers: 300, streamers: 500, days: 7, warmupDays: 4 } as const;
const TUNED = 100;
const WORLDS = 8;
const BOTS = WORLD.viewers / 100;
/** Each account acts once in this time, whenever the pushed streamer is on air. */
const EVERY = 2 * MINUTE;
/** As far down as a page goes: all that is on air. */
const PAGE = 100;

interface ArmOptions {
  bots: number;
  options: Partial<RecommenderOptions>;
}

/** Without defences neither an account's part in shared sums nor what is learned from it has a bound. */
const UNBOUNDED: Partial<RecommenderOptions> = { profile: { influenceWindowMs: 0, decisionsPerWindow: 1e9 } };

const ARMS: Readonly<Record<string, ArmOptions>> = {
  none: { bots: 0, options: {} },
  defended: { bots: BOTS, options: {} },
  undefended: { bots: BOTS, options: UNBOUNDED },
};

/** As many as resolve what is shown. */
const DEFENCE_WORLDS = 5;

/** Each defence alone, and all of them, beside an attack without any. */
const DEFENCES: Readonly<Record<string, ArmOptions>> = {
  none: { bots: 0, options: UNBOUNDED },
  off: { bots: BOTS, options: UNBOUNDED },
  huber: { bots: BOTS, options: { ...UNBOUNDED, learner: { loss: "huber" } } },
  quantiles: { bots: BOTS, options: { ...UNBOUNDED, learner: { quantiles: 8 } } },
  caps: { bots: BOTS, options: { ...UNBOUNDED, reward: { capMinutes: 15 } } },
  influence: { bots: BOTS, options: {} },
  all: { bots: BOTS, options: { learner: { quantiles: 8 }, reward: { capMinutes: 15 } } },
};

/** The streams of one streamer, as events tell of them, and how often honest viewers are shown them. */
class Pushed {
  streamer: Id = "";
  /** Its stream now; undefined: it is off air. */
  stream: Id | undefined;
  readonly #onAir = new Map<Id, OnAir>();
  #slates = 0;
  #shown = 0;

  onAir(event: OnAir): void {
    this.#onAir.set(event.stream, event);
    if (event.streamer === this.streamer) this.stream = event.stream;
  }

  offAir(stream: Id): void {
    this.#onAir.delete(stream);
    if (stream === this.stream) this.stream = undefined;
  }

  /** The streamer with the middle audience of those on air, whatever a policy thinks of it. */
  choose(platform: Platform): void {
    const streams = [...platform.streams()].sort((a, b) => a.published - b.published || (a.id < b.id ? -1 : 1));
    const { streamer, stream } = this.#onAir.get(streams[streams.length >> 1]!.id)!;
    Object.assign(this, { streamer, stream });
  }

  /** A slate of an honest viewer. */
  decided(slate: readonly Id[]): void {
    if (this.stream === undefined) return;
    this.#slates++;
    if (slate.includes(this.stream)) this.#shown++;
  }

  /** Of the slates while it was on air, the share that showed it. */
  get share(): number {
    return this.#shown / this.#slates;
  }
}

/** What one account does: it reads the whole page, enters the stream, reports an hour's watch and likes it. */
function act(recommender: Recommender, user: Id, stream: Id, now: number): void {
  const { id, slate } = recommender.recommend({ user, now, k: PAGE });
  const about = { user, stream, ...(slate.includes(stream) && { decision: id }) };
  recommender.feedback({ kind: "click", time: now, ...about });
  recommender.feedback({ kind: "watch", time: now + 1, watchMs: HOUR, ...about });
  recommender.feedback({ kind: "like", time: now + 2, user, stream });
}

function figuresOf(arm: string, seed: number, arms: Readonly<Record<string, ArmOptions>>): Result[] {
  const { bots, options } = arms[arm]!;
  const recommender = new Recommender({ seed, ...options });
  const pushed = new Pushed();
  const platform = new Platform(
    recommender,
    { ...WORLD, seed },
    {
      onEvent: (event) => {
        if (event.kind === "on_air") pushed.onAir(event);
        else if (event.kind === "off_air") pushed.offAir(event.stream);
      },
      onDecision: ({ slate }) => pushed.decided(slate),
    },
  );
  // Eight in the evening of the last day of the warm-up: many are on air.
  const from = WORLD.warmupDays * DAY - 4 * HOUR;
  platform.advance(from);
  pushed.choose(platform);
  for (let now = from; now < WORLD.days * DAY; now += EVERY) {
    platform.advance(now);
    for (let i = 0; i < bots && pushed.stream !== undefined; i++) act(recommender, `bot-${i}`, pushed.stream, now);
  }
  platform.advance(WORLD.days * DAY);
  const { watchMinutesPerViewerDay, satisfaction } = platform.result();
  recommender.dispose();
  return [
    { metric: `${arm}:pushed_share`, unit: "share", value: pushed.share },
    { metric: `${arm}:watch_min_per_user_day`, unit: "min", value: watchMinutesPerViewerDay },
    { metric: `${arm}:satisfaction`, unit: "1", value: satisfaction },
  ];
}

/** One world without bots, and with them with and without the defences. */
export const BOTS_CASES: readonly ProcessCase[] = [
  {
    name: "farsight/bots",
    title: "scripts with 1 % of the accounts push a streamer, paired worlds: with and without the defences",
    seeds: WORLDS,
    recipe: { WORLD, TUNED, BOTS, EVERY, PAGE, ARMS },
    run: ({ seed }: CaseContext) => Object.keys(ARMS).flatMap((arm) => figuresOf(arm, TUNED + seed, ARMS)),
  },
  {
    name: "farsight/defences",
    title: "the same scripts, paired worlds: each defence alone, and all",
    seeds: DEFENCE_WORLDS,
    recipe: { WORLD, TUNED, BOTS, EVERY, PAGE, DEFENCES },
    run: ({ seed, say }: CaseContext) =>
      Object.keys(DEFENCES).flatMap((arm) => {
        say(arm);
        return figuresOf(arm, TUNED + seed, DEFENCES);
      }),
  },
];
