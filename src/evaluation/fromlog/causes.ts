import type { OpenedLog } from "./source.js";
import type { LogTeacher } from "./teacher.js";

const SIGNS = "click, watch, heartbeat, rating, purchase, like, comment, share, follow, gift, signal";

/** The default of a recommender's `learner.learningStarts`. */
const LEARNING_STARTS = 200;

/**
 * Why a log taught a recommender nothing, and what to do; undefined where it learned.
 *
 * @param log - Read to its end.
 * @param teacher - Of the recommender that it taught.
 */
export function whyUntrained(log: OpenedLog, teacher: LogTeacher): string | undefined {
  const { recommender, refused, example } = teacher;
  if (recommender.stats().updates > 0) return undefined;
  const { events, signs } = log.counts;
  if (events === 0) return "it has no events: is it the right file?";
  const entries = teacher.events + teacher.decisions;
  if (teacher.unordered > entries / 10) {
    return `${teacher.unordered} of its ${entries} entries are earlier than the one before: liveq prepare puts a log in order`;
  }
  if (refused > entries / 2) {
    const how = "put the log in order, with times in milliseconds (liveq prepare)";
    return `${refused} entries have a wrong time, such as ${example}: ${how}`;
  }
  if (signs === 0) return `none of its ${events} events says that a user entered a stream: it needs some of ${SIGNS}`;
  return log.decisions === 0 ? whyUndecided(log, teacher) : whyUntaught(log, teacher);
}

/** Why there are no decisions. */
function whyUndecided({ counts, contents, given }: OpenedLog, { recommender }: LogTeacher): string {
  const { events, signs, unplaced } = counts;
  if (given === 0)
    return `no decisions were given beside its ${events} events: leave them out, and they are made from the log`;
  const { unknownStreams } = recommender.stats();
  if (contents.onAir === "events" && unknownStreams > signs / 2) {
    const how =
      'add its "on_air" event to each stream, or leave out all of them, or say that nothing goes off ("catalogue")';
    return `${unknownStreams} of its ${events} events are of streams that never went on air: ${how}`;
  }
  if (contents.slates === "impressions") {
    return 'its impressions form no decision: they need a "decision", or must come together in time';
  }
  const how = 'users must share streams: are "user" and "stream" what they should be?';
  return `${unplaced} visits, each of a stream that nobody was in before, or of the only one: ${how}`;
}

/** Why decisions taught nothing. */
function whyUntaught(log: OpenedLog, { recommender }: LogTeacher): string {
  const { transitions, pending, unfinished, unknownDecisions, users, unknownStreams } = recommender.stats();
  const { trainEvery, learner } = recommender.options;
  const { decisions, counts } = log;
  const starts = Number(learner.learningStarts ?? LEARNING_STARTS);
  if (unknownDecisions > counts.signs / 2) {
    return `${unknownDecisions} events name a decision that is not among the ${decisions}: are both of the same log?`;
  }
  if (unknownStreams > counts.signs / 2) {
    return `${unknownStreams} events are of streams that never went on air: add their "on_air" events`;
  }
  if (trainEvery === 0) return `"trainEvery" is 0: ${transitions} transitions wait for learn()`;
  const gave = `${decisions} decisions of ${users} users gave ${transitions} transitions, and learning starts at ${starts}`;
  if (unfinished > transitions) return `${gave}: ${unfinished} clicks have no watch; set "pending.awaitWatch" to false`;
  const waiting = `${pending} decisions wait for what their users do next`;
  return `${gave}; ${waiting}: it needs a longer log, or users who come more than once`;
}
