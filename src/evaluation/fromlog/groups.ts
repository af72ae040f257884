import type { Id } from "../../protocol/index.js";
import type { Recommender } from "../../recommender/index.js";

/** Streams that are explained for each user. Set by hand. */
const EXPLAINED = 6;

/**
 * By group of features, the share of users for whom it moves the value of a stream: groups without data move none. Empty
 * before the end of the warm-up. It takes requests of these users: save the recommender first.
 *
 * @param asked - Users, and the time of a request of each, milliseconds.
 */
export function groupsWithData(recommender: Recommender, asked: ReadonlyMap<Id, number>): Map<string, number> {
  const moved = new Map<string, number>();
  if (recommender.isApprentice) return moved;
  const now = Math.max(recommender.time, ...asked.values());
  let explained = 0;
  for (const user of asked.keys()) {
    const { explanations = [] } = recommender.recommend({ user, now, k: EXPLAINED, explain: true });
    const groups = explanations.flatMap((explanation) => explanation.groups);
    if (groups.length === 0) continue;
    explained++;
    for (const { group } of groups) if (!moved.has(group)) moved.set(group, 0);
    const names = new Set(groups.filter(({ value }) => value !== 0).map(({ group }) => group));
    for (const name of names) moved.set(name, moved.get(name)! + 1);
  }
  return new Map([...moved].map(([name, count]) => [name, count / explained]));
}
