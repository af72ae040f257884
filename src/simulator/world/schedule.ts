import { exp, exponential, lognormal, pow, type Random, weibull, weightedIndex } from "../../numeric/index.js";
import { DAY, HOUR, MINUTE } from "../../protocol/index.js";

/**
 * Share of broadcasts that start in each hour of the day, and activity of viewers in each hour relative to the mean.
 *
 * Measured on 217 429 Twitch broadcasts of 13 270 channels over 37 days; the clock is UTC.
 */
const START_SHARE = [
  0.0475, 0.0471, 0.0418, 0.0348, 0.0299, 0.0257, 0.0228, 0.0248, 0.0254, 0.0268, 0.0321, 0.0372, 0.0426, 0.0446,
  0.0459, 0.0477, 0.0539, 0.06, 0.0623, 0.0585, 0.0501, 0.0469, 0.0453, 0.0462,
] as const;
const VIEWER_ACTIVITY = [
  0.84, 0.76, 0.67, 0.6, 0.56, 0.52, 0.48, 0.48, 0.54, 0.58, 0.64, 0.75, 0.94, 1.04, 1.19, 1.35, 1.54, 1.69, 1.75, 1.75,
  1.64, 1.42, 1.25, 1.03,
] as const;
const ACTIVITY_OF_DAY = VIEWER_ACTIVITY.reduce((sum, weight) => sum + weight, 0) * HOUR;

/**
 * Broadcasts a week: median 2.7 and 90th percentile 6.2; circular deviation of the start hour: median 2.9 h, 5th and
 * 95th percentile 0.5 h and 5.9 h; length, all channels together: Weibull with shape 1.49 and scale 250 min, median
 * 185 min. Same source. The planned values are set by hand to give that over 37 days, in which some streamers come, some retire,
 * and some starts fall into a broadcast that still goes on.
 */
const MEASURED_SHAPE = 1.49;
const MEASURED_SCALE = 250 * MINUTE;
const WEEKLY_MEDIAN = 3.4;
const WEEKLY_SIGMA = 0.65;
const START_DEVIATION = 1.7;
const START_DEVIATION_SPREAD = 1.6;
const LENGTH_SHAPE = 1.55;
const LENGTH_SCALE = 240 * MINUTE;
/** Exponent on the shares of starts that gives hours of habit, as starts scatter around them. Set by hand. */
const HABIT_SHARPNESS = 1.8;
const HABIT_SHARE = START_SHARE.map((share) => pow(share, HABIT_SHARPNESS));
/**
 * Some streamers come back on the same day: their share, the chance after each broadcast, and the mean pause before. On so
 * many days a broadcast is due by the calendar and not by chance. Set by hand, together, to give the gaps between starts:
 * quartile 16 h, median 24 h, 90th percentile 72 h, 37 % within 20 and 28 h.
 */
const ENCORES = 0.4;
const ENCORE = 0.42;
const ENCORE_PAUSE = 3 * HOUR;
const REGULAR = 0.8;
/** How channels differ in length. Set by hand, with shape and scale, to give the measured length together. */
const LENGTH_SIGMA = 0.2;
const LENGTH_MIN = 5 * MINUTE;

/** When a streamer goes on air. */
export interface Habit {
  /** Hour of the day, [0, 24). */
  startHour: number;
  /** Standard deviation of the start, hours. */
  startDeviation: number;
  /** Mean number of broadcasts a day. */
  perDay: number;
  /** When in the calendar the days on air are due, [0, 1). */
  phase: number;
  /** Chance of another broadcast after one. */
  encore: number;
  /** Factor on the length of the broadcasts. */
  length: number;
}

/** One broadcast, milliseconds. */
export interface Airing {
  start: number;
  end: number;
}

export function drawHabit(random: Random): Habit {
  const spread = START_DEVIATION_SPREAD * random.normal();
  return {
    startHour: weightedIndex(random, HABIT_SHARE) + random.uniform(),
    startDeviation: Math.min(6, Math.max(0.3, START_DEVIATION + spread)),
    perDay: lognormal(random, WEEKLY_MEDIAN, WEEKLY_SIGMA) / 7,
    phase: random.uniform(),
    encore: random.bernoulli(ENCORES) ? ENCORE : 0,
    length: lognormal(random, 1, LENGTH_SIGMA),
  };
}

function drawLength(habit: Habit, random: Random): number {
  return Math.round(Math.max(LENGTH_MIN, habit.length * weibull(random, LENGTH_SHAPE, LENGTH_SCALE)));
}

/**
 * The broadcasts that a streamer plans for a day, in order of start; a start can fall up to 12 h outside the day.
 *
 * Whole broadcasts a day are sure; the rest is due every so many days, or a coin a day.
 */
export function planDay(habit: Habit, day: number, random: Random): Airing[] {
  const perDay = habit.perDay / (1 + habit.encore);
  const sure = Math.floor(perDay);
  const due = Math.floor((day + 1) * perDay + habit.phase) - Math.floor(day * perDay + habit.phase);
  const drawn = sure + (random.bernoulli(perDay - sure) ? 1 : 0);
  const count = random.bernoulli(REGULAR) ? due : drawn;
  const airings: Airing[] = [];
  for (let i = 0; i < count; i++) {
    const deviation = Math.min(12, Math.max(-12, habit.startDeviation * random.normal()));
    const hour = habit.startHour + (24 * i) / count + deviation;
    const start = Math.round(day * DAY + hour * HOUR);
    const end = start + drawLength(habit, random);
    airings.push({ start, end });
    if (!random.bernoulli(habit.encore)) continue;
    const again = end + Math.round(exponential(random, ENCORE_PAUSE));
    airings.push({ start: again, end: again + drawLength(habit, random) });
  }
  return airings.sort((a, b) => a.start - b.start);
}

/**
 * How many streams are on air in each hour relative to the mean of the day, where starts and lengths are as measured: a
 * sum over the starts of the last 24 hours.
 */
const LIVE = (() => {
  const live = START_SHARE.map((_, hour) => {
    let sum = 0;
    for (let ago = 0; ago < 24; ago += 0.25) {
      const still = exp(-pow((ago * HOUR) / MEASURED_SCALE, MEASURED_SHAPE));
      sum += still * START_SHARE[(hour + 24 - Math.floor(ago)) % 24]!;
    }
    return sum;
  });
  const mean = live.reduce((sum, count) => sum + count, 0) / 24;
  return live.map((count) => count / mean);
})();

/** How many viewers there are to a stream on air, relative to the mean of the day. */
export function crowdAt(time: number): number {
  return activityAt(time) / LIVE[Math.floor((time % DAY) / HOUR)]!;
}

/** How active viewers are at a time of the day, relative to the mean of the day. */
export function activityAt(time: number): number {
  return (VIEWER_ACTIVITY[Math.floor((time % DAY) / HOUR)]! * DAY) / ACTIVITY_OF_DAY;
}

/** When `amount` milliseconds of mean activity have passed since `now`: quickly in the evening, slowly at night. */
export function afterActivity(now: number, amount: number): number {
  const days = Math.floor(amount / DAY);
  let time = now + days * DAY;
  let rest = amount - days * DAY;
  for (;;) {
    const activity = activityAt(time);
    const hourEnd = (Math.floor(time / HOUR) + 1) * HOUR;
    const within = (hourEnd - time) * activity;
    if (within >= rest) return Math.round(time + rest / activity);
    rest -= within;
    time = hourEnd;
  }
}
