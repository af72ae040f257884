/** A published figure, and how near the simulator has to come. */
export interface Statistic {
  name: string;
  source: "twitch" | "kuailive";
  unit: string;
  published: number;
  /** Set by hand: wider where the figure is of a tail or of another population. */
  band: readonly [least: number, most: number];
  /** Why the simulator cannot meet it, where that is known. */
  note?: string;
}

/* The source contradicts itself in three places; test/bench/statistics.test.ts shows where. */
const CONTRADICTION =
  "the source contradicts itself: its users' sums are 16 % of its visits times their mean, 1.6 clicks and 5.7 exposures a user and day; the sums are fitted";
const FEW_VISITS =
  "the source contradicts itself: visits of its lengths and its users' sums come to .53 and .95 though nobody comes back";
const MANY_BOUNCES =
  "the source contradicts itself: visits of its lengths that give the median streamer 24 s give the P90 more than 2200 s";
const RETURNS = "viewers come back to the streamers whom they like, as the repeats among watches ask for";

type Row = readonly [name: string, unit: string, published: number, least: number, most: number, note?: string];

const TWITCH: readonly Row[] = [
  ["length P10", "min", 45, 31.5, 58.5],
  ["length P50", "min", 185, 166.5, 203.5],
  ["length mean", "min", 221, 198.9, 243.1],
  ["length P90", "min", 424, 381.6, 466.4],
  ["length P99", "min", 793, 674, 911.9],
  ["log viewers of a channel, mean", "1", 2.31, 2.11, 2.51],
  ["log viewers of a channel, sd", "1", 1.61, 1.46, 1.76],
  ["log viewers within a channel, sd", "1", 0.51, 0.43, 0.59],
  ["viewers of a channel P50", "viewers", 8, 6, 10],
  ["viewers of a channel P90", "viewers", 87, 65.25, 108.8],
  ["viewers of a channel P99", "viewers", 1337, 869.1, 1805],
  ["watch time of the top 1 %", "1", 0.66, 0.56, 0.76],
  ["watch time of the top 5 %", "1", 0.87, 0.81, 0.93],
  ["watch time of the top 10 %", "1", 0.92, 0.87, 0.97],
  ["watch time of the top 20 %", "1", 0.96, 0.92, 1],
  ["watch time, Gini of channels", "1", 0.941, 0.911, 0.971],
  ["streams a week, mean", "1", 3.2, 2.72, 3.68],
  ["streams a week P50", "1", 2.7, 2.295, 3.105],
  ["streams a week P90", "1", 6.2, 5.27, 7.13],
  ["start hour, circular sd P5", "h", 0.5, 0.1, 0.9],
  ["start hour, circular sd P50", "h", 2.9, 2.465, 3.335],
  ["start hour, circular sd P95", "h", 5.9, 5.015, 6.785],
  ["gap between starts P25", "h", 16, 12, 20],
  ["gap between starts P50", "h", 24, 21.6, 26.4],
  ["gap between starts P90", "h", 72, 57.6, 86.4],
  ["gaps of 20 to 28 h", "1", 0.37, 0.3, 0.44],
  ["live, peak / trough", "1", 2.15, 1.892, 2.408],
  ["viewers, peak / trough", "1", 3.65, 3.103, 4.197],
  ["start hours, distance of shares", "1", 0, 0, 0.05],
  ["same category next", "1", 0.672, 0.632, 0.712],
  ["first categories of a channel P50", "1", 3, 2.5, 3.5],
  ["categories of a broadcast, mean", "1", 1.3, 1.24, 1.36],
  ["Zipf slope of categories", "1", -1.45, -1.46, -1.19],
  ["peak / average viewers P50", "1", 1.4, 1.3, 1.5],
  ["peak / average viewers P90", "1", 2.0, 1.7, 2.3],
  ["follows per viewer-hour", "1", 0.037, 0.02775, 0.04625],
  ["repeats among watches", "1", 0.51, 0.41, 0.61],
];

const KUAILIVE: readonly Row[] = [
  ["clicks per exposure", "1", 0.279, 0.249, 0.309],
  ["exposures a user and day", "1", 35, 24.5, 45.5, CONTRADICTION],
  ["clicks a user and day", "1", 9.8, 6.86, 12.74, CONTRADICTION],
  ["likes per click", "1", 0.0365, 0.03102, 0.04197],
  ["comments per click", "1", 0.04, 0.034, 0.046],
  ["gifts per click", "1", 0.0148, 0.0111, 0.0185],
  ["visit P50", "s", 4.87, 4.139, 5.6],
  ["visit P90", "s", 1026, 820.8, 1231],
  ["visit P99", "s", 9231, 7385, 1.108e4],
  ["visit mean", "s", 514, 436.9, 591.1],
  ["visits engaged", "1", 0.224, 0.199, 0.249],
  ["watch time of a user P50", "s", 8115, 6086, 1.014e4],
  ["watch time of a user, mean", "s", 17052, 1.279e4, 2.132e4],
  ["watch time of a user P90", "s", 41745, 3.131e4, 5.218e4],
  ["watch time of a user P99", "s", 127350, 8.278e4, 1.719e5],
  ["watch time of a streamer P50", "s", 24, 12, 36],
  ["watch time of a streamer P90", "s", 1206, 603, 1809, MANY_BOUNCES],
  ["watch time of a streamer P99", "s", 13387, 6694, 2.008e4, RETURNS],
  ["watch loyalty P50", "1", 0.356, 0.276, 0.436, FEW_VISITS],
  ["watch loyalty P90", "1", 0.812, 0.712, 0.912, FEW_VISITS],
  ["gift P50", "1", 2, 1.5, 2.5],
  ["gift mean", "1", 82.7, 53.76, 111.6],
  ["gift P90", "1", 88, 61.6, 114.4],
  ["gift P99", "1", 1488, 744, 2232],
  ["gifts of 1", "1", 0.44, 0.4, 0.48],
  ["gifts, Gini of users", "1", 0.942, 0.902, 0.982],
  ["gifts, Gini of streamers", "1", 0.93, 0.89, 0.97],
  ["streamers without a gift", "1", 0.922, 0.872, 0.972],
  ["gifts in the first tenth", "1", 0.904, 0.874, 0.934],
  ["gift loyalty P50", "1", 1, 0.95, 1.05],
];

function statistics(source: Statistic["source"], rows: readonly Row[]): Statistic[] {
  return rows.map(([name, unit, published, least, most, note]) => {
    const statistic: Statistic = { name, source, unit, published, band: [least, most] };
    return note === undefined ? statistic : { ...statistic, note };
  });
}

/** All statistics that are compared. */
export const STATISTICS: readonly Statistic[] = [...statistics("twitch", TWITCH), ...statistics("kuailive", KUAILIVE)];
