import { ndcg, placeHeldOut } from "../../evaluation/index.js";
import { type Interactions, leaveLastOut, leaveLastTwoOut, selectInteractions } from "../../logs/index.js";
import { Random } from "../../numeric/index.js";
import { type DqnRankerOptions, ItemPop, trainDqnRanker } from "../../ranking/index.js";
import { Tally } from "../../statistics/index.js";
import type { FilmTask, Judged } from "../jobs/tasks.js";
import { readMovieLens } from "../reading/movielens.js";

/** The ratings of a share of the users, drawn by the seed. */
function ratingsOf(ratings: Interactions, share: number, seed: number): Interactions {
  if (share >= 1) return ratings;
  const users = Array.from({ length: ratings.users }, (_, user) => user);
  Random.named(seed, "tune", "users").shuffle(users);
  const drawn = new Set(users.slice(0, Math.max(1, Math.round(share * users.length))));
  const kept = Array.from(ratings.user.keys()).filter((i) => drawn.has(ratings.user[i]!));
  return selectInteractions(ratings, Int32Array.from(kept));
}

/** Trains a ranker of films, and ranks each user's held-out item among all that are new to the user. */
export async function rankFilms(task: FilmTask, onProgress: (share: number) => void): Promise<Judged> {
  const { folder, who, seed, k, share, isLast } = task;
  const data = await readMovieLens(folder);
  const ratings = ratingsOf(data.ratings, share, seed);
  const three = isLast ? undefined : leaveLastTwoOut(ratings);
  const { train, test } = three ? { train: three.train, test: three.validation } : leaveLastOut(ratings);
  const ranker =
    who === "popular"
      ? new ItemPop(train)
      : await trainDqnRanker(
          { train, items: data.items },
          { seed, ...(who as DqnRankerOptions) },
          {
            onProgress: ({ epoch, epochs, users }) => onProgress((epoch - 1 + users / train.users) / epochs),
          },
        );
  const values = ndcg(placeHeldOut(ranker, train, test, { kind: "full" }), k);
  const tally = new Tally(["ndcg"]);
  for (const [i, value] of values.entries()) tally.add(test.user[i]! % 1024, 0, 1, value, 1);
  return { sums: tally.sums("ndcg") };
}
