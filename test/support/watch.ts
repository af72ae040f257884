import { type StreamTraits, type Users, watchTimeOf } from "../../src/recommender/state/index.js";

/** A watch that ends now, as long as it can have been. Returns the milliseconds that count in shared statistics. */
export function watchAt(
  users: Users,
  user: string,
  stream: StreamTraits,
  watchMs: number,
  isOver: boolean,
  now: number,
): number {
  const event = { kind: "watch", time: now, user, stream: "s", watchMs } as const;
  return users.watch(user, stream, watchTimeOf(event, users.lastVisit(user, stream.streamer), !isOver), now);
}

/** A like, or a dislike. */
export function judgeAt(users: Users, user: string, stream: StreamTraits, isDislike: boolean, now: number): void {
  if (isDislike) users.dislike(user, stream, now);
  else users.approve(user, stream, now);
}
