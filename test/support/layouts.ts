import { exponential, lognormal, weightedIndex } from "../../src/numeric/distributions.js";
import { Random } from "../../src/numeric/random.js";
import { latin1 } from "./movielens.js";

/** Made-up files in the layout of MovieLens-1M, with what they must read back as. */
export function movieLens1MLookAlike(seed: number, users = 30, movies = 50) {
  const random = Random.named(seed, "movielens-1m");
  const titles = ["Château", "River: A Story", "Señor Winter", "Letter, The"];
  const ratings: [user: number, movie: number, rating: number, seconds: number][] = [];
  for (let user = 1; user <= users; user++) {
    const seen = random.shuffle(Array.from({ length: movies }, (_, i) => i + 1)).slice(0, 20);
    for (const movie of seen) ratings.push([user, movie, 1 + random.below(5), 956_703_932 + random.below(90_000_000)]);
  }
  const genres = ["Action", "Children's|Comedy", "Film-Noir|Sci-Fi|Thriller"];
  const movieLines = Array.from({ length: movies }, (_, i) => {
    return `${i + 1}::${random.pick(titles)} (${1930 + random.below(70)})::${random.pick(genres)}\n`;
  });
  const userLines = Array.from({ length: users }, (_, i) => {
    return `${i + 1}::${random.pick(["F", "M"])}::${random.pick([1, 18, 25, 35, 45, 50, 56])}::${random.below(21)}::${10_000 + i}\n`;
  });
  const files = {
    ratings: latin1(ratings.map((rating) => `${rating.join("::")}\n`).join("")),
    movies: latin1(movieLines.join("")),
    users: latin1(userLines.join("")),
  };
  return { files, ratings, movieLines, userLines };
}

/** A made-up `combined_data_N.txt`, with its ratings in their order. */
export function netflixLookAlike(seed: number, firstMovie: number, movies = 6) {
  const random = Random.named(seed, "netflix", firstMovie);
  const ratings: [movie: number, customer: number, rating: number, date: string][] = [];
  let text = "";
  for (let movie = firstMovie; movie < firstMovie + movies; movie++) {
    text += `${movie}:\n`;
    // The second film of each file has no ratings.
    const n = movie === firstMovie + 1 ? 0 : 1 + random.below(30);
    for (let i = 0; i < n; i++) {
      const date = `200${random.below(6)}-0${1 + random.below(9)}-${10 + random.below(19)}`;
      const rating: (typeof ratings)[number] = [movie, 6 + random.below(2_600_000), 1 + random.below(5), date];
      text += `${rating.slice(1).join(",")}\n`;
      ratings.push(rating);
    }
  }
  return { text, ratings };
}

const ITEMS = 5;

/** A made-up campaign in the layout of Open Bandit, of a policy that knows its probabilities. */
export function openBanditLookAlike(seed: number, rows = 400) {
  const random = Random.named(seed, "open-bandit");
  const weights = Array.from({ length: ITEMS }, () => exponential(random, 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const affinities = weights.map((_, i) => `user-item_affinity_${i}`).join(",");
  let log = `,timestamp,item_id,position,click,propensity_score,user_feature_0,user_feature_1,${affinities}\n`;
  let clicks = 0;
  for (let row = 0; row < rows; row++) {
    const item = weightedIndex(random, weights);
    const click = random.bernoulli(0.1) ? 1 : 0;
    clicks += click;
    const second = String(row % 60).padStart(2, "0");
    const minute = String(Math.floor(row / 60)).padStart(2, "0");
    const features = [random.pick(["aa", "bb"]), random.pick(["aa", "cc", "dd"])];
    const own = weights.map(() => (random.bernoulli(0.2) ? 1 + random.below(3) : 0).toFixed(1));
    const start = `${row},2019-11-24 00:${minute}:${second}.979311+00:00`;
    const choice = [item, 1 + random.below(3), click, weights[item]! / total];
    log += `${[start, ...choice, ...features, ...own].join(",")}\n`;
  }
  const items = weights.map((_, i) => `${i},${i},${(random.uniform() - 0.5).toString()},word${i % 2},w\n`).join("");
  const context = `,item_id,item_feature_0,item_feature_1,item_feature_2\n${items}`;
  return { log, context, clicks, propensities: weights.map((weight) => weight / total) };
}

/** Made-up rows in the layout of Twitch-100K: by user, without a header. */
export function twitchLookAlike(seed: number, users = 40, steps = 700) {
  const random = Random.named(seed, "twitch");
  const streams = Array.from({ length: 60 }, (_, i) => {
    const start = i === 0 ? 0 : random.below(steps - 30);
    return {
      id: 34_347_000_000 + i,
      streamer: `streamer_${i % 17}`,
      start,
      stop: i === 1 ? steps : start + 6 + random.below(20),
    };
  });
  const rows: [user: number, stream: number, streamer: string, start: number, stop: number][] = [];
  for (let user = 1; user <= users; user++) {
    const visits = random.shuffle(streams.slice()).slice(0, 5 + random.below(10));
    for (const { id, streamer, start, stop } of visits) {
      const from = start + random.below(stop - start);
      rows.push([user, id, streamer, from, from + 1 + random.below(stop - from)]);
    }
  }
  rows.push([users, streams[1]!.id, streams[1]!.streamer, steps - 2, steps]);
  return { text: rows.map((row) => `${row.join(",")}\n`).join(""), rows, steps };
}

/** Made-up tables in the layout of KuaiLive, each in order of time. */
export function kuaiLiveLookAlike(seed: number) {
  const random = Random.named(seed, "kuailive");
  const day = 86_400_000;
  const begin = 1_746_374_400_000;
  const rooms = Array.from({ length: 40 }, (_, i) => {
    const start = begin + random.below(2 * day);
    return { live: 7_000_000 + i, streamer: 400 + (i % 13), start, end: start + 600_000 + random.below(6 * 3_600_000) };
  }).sort((a, b) => a.start - b.start);
  const visits = Array.from({ length: 500 }, () => {
    const room = random.pick(rooms);
    const time = room.start + random.below(room.end - room.start);
    const watch = Math.min(Math.floor(lognormal(random, 4000, 2)), room.end - time);
    return { user: random.below(30), room, time, watch };
  }).sort((a, b) => a.time - b.time);
  const clicks = visits.filter((_, i) => i % 3 === 0);
  const negatives = visits.filter((_, i) => i % 3 !== 0);
  const row = ({ user, room, time }: (typeof visits)[number]) => `${user},${room.live},${room.streamer},${time}`;
  const table = (header: string, lines: string[]) => `${header}\n${lines.map((line) => `${line}\n`).join("")}`;
  const columns = "user_id,live_id,streamer_id,timestamp";
  return {
    rooms,
    clicks,
    negatives,
    files: {
      // This table names the streamer author_id, and orders its columns differently.
      room: table(
        "p_date,live_id,author_id,live_type,start_timestamp,end_timestamp,live_content_category,live_name_id",
        rooms.map(
          (room, i) => `20250505,${room.live},${room.streamer},1,${room.start},${room.end},${i === 3 ? "" : "shop"},0`,
        ),
      ),
      click: table(
        `${columns},watch_live_time`,
        clicks.map((click) => `${row(click)},${click.watch}`),
      ),
      negative: table(columns, negatives.map(row)),
      like: table(columns, clicks.slice(0, 20).map(row)),
      comment: table(columns, clicks.slice(20, 40).map(row)),
      gift: table(
        `${columns},gift_price`,
        clicks.slice(40, 50).map((click) => `${row(click)},2`),
      ),
      user: table("user_id,age,gender,country,device_brand,device_price,reg_timestamp,fans_num", [
        "0,18-23,M,China,APPLE,5000+,2023-05-03,0-10",
        "1,50+,F,China,DESKTOP,0,2023-05-03,0-10",
        "2,,,,,,,",
      ]),
    },
  };
}

/** A made-up file of broadcasts. */
export const BROADCASTS = `channel,start,length_min,watch_min,avg_viewers,peak_viewers,followers_gained,views,categories
7,2019-06-30T23:45,165,660,4,7,2,39,2|11
8,2019-07-01T00:10,0,0,0,0,-3,0,
`;
