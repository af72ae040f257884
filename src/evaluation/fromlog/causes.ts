import type { CompletionCounts, LogContents } from "../../logs/index.js";
import type { RecommenderStats } from "../../recommender/index.js";

/** What a log has, and what became of it. */
export interface Untrained {
  counts: CompletionCounts;
  contents: LogContents | undefined;
  /** Decisions given beside the log; undefined: none were given. */
  given: number | undefined;
  stats: RecommenderStats;
  /** Transitions before the first update. */
  learningStarts: number;
  /** Entries whose times are wrong. */
  refused: number;
  example: string;
  /** Updates a transition brings; 0: none by itself. */
  trainEvery: number;
}

const SIGNS = "click, watch, heartbeat, rating, purchase, like, comment, share, follow, gift, signal";

/** Why a log taught a recommender nothing, and what to do; undefined where it taught something. */
export function whyUntrained(log: Untrained): string | undefined {
  const { counts, contents, given, stats, learningStarts, refused, example } = log;
  if (stats.updates > 0) return undefined;
  const { events, signs, shown, drawn, unplaced } = counts;
  if (events === 0) return "the log has no events: is it the right file?";
  if (refused > events / 2)
    return `${refused} of ${events} entries have a wrong time, such as ${example}: put the log in order (liveq prepare) and give milliseconds`;
  if (signs === 0) {
    return `none of the ${events} events says that a user entered a stream: it needs events of a kind among ${SIGNS}`;
  }
  const decisions = given ?? shown + drawn;
  if (given === 0)
    return `no decisions were given beside ${events} events: leave them out, to have them made from the log`;
  if (stats.unknownStreams > signs / 2 && contents?.onAir === "events") {
    return `${stats.unknownStreams} of the events are on streams that never went on air: add their "on_air", or leave out all "on_air", or say that nothing goes off ("onAir": "catalogue"; liveq train --catalogue)`;
  }
  if (decisions === 0 && contents?.slates === "impressions") {
    return `the ${contents.kinds.impression} impressions form no decision: they need a "decision", or to come together in time`;
  }
  if (decisions === 0) {
    return `${unplaced} of ${unplaced + drawn} visits are of a stream that nobody had entered before, or the only one: users must share streams; are "stream" and "user" mixed up?`;
  }
  if (given !== undefined && stats.unknownDecisions > 0) {
    return `${stats.unknownDecisions} events name a decision that is not among the ${given} given: are both of the same log?`;
  }
  if (log.trainEvery === 0)
    return `it does not learn by itself: "trainEvery" is 0, and ${stats.transitions} transitions wait`;
  if (stats.transitions < learningStarts) {
    const waiting =
      stats.pending > 0 ? `; ${stats.pending} decisions wait for their user's next one, or for the end of a watch` : "";
    const lost =
      stats.unfinished > 0 ? `; ${stats.unfinished} clicks have no watch: set pending.awaitWatch to false` : "";
    return `${decisions} decisions of ${stats.users} users gave ${stats.transitions} transitions, and learning starts at ${learningStarts}${waiting}${lost}: a longer log, or users with more than one event, or a lower learner.learningStarts`;
  }
  return `${stats.transitions} transitions, but no update: ${stats.backlog} are due`;
}
