import type { Desk } from "../desk.js";
import type { Metric } from "../metrics.js";

/** What Prometheus is told beside latencies and answers. */
export function figuresOf({ options, inHand }: Desk): Metric[] {
  const { edge, now } = options;
  const stats = edge.stats();
  const recommender = edge.recommenderStats();
  const newest = edge.models().at(-1)!;
  const of = (name: string, help: string, value: number): Metric => ({ name, help, value });
  return [
    of("decisions_total", "Slates that were chosen.", stats.requests),
    of("decisions_unlogged_total", "Slates that could not be logged.", stats.unlogged),
    of("events_total", "Events that were taken.", stats.events),
    of("learner_behind_records", "Logged records that the learner has not yet seen.", stats.behind),
    of("model_version", "The model that answers.", stats.model),
    of("model_updates", "Updates of the model that answers.", stats.modelUpdates),
    of("model_age_seconds", "Since the model went live.", (now() - stats.modelAt) / 1000),
    of("failed", "Whether the learner or the log no longer works.", Number(stats.failed !== undefined)),
    of("model_pinned", "Whether newer models wait.", Number(stats.isPinned)),
    of("loss", "Mean of the latest losses of the newest model.", newest.loss),
    of("q_mean", "Mean value in the last batch of the newest model.", newest.qMean),
    of("streams_on_air", "Streams on air.", recommender.onAir),
    of("users", "Users that are remembered.", recommender.users),
    of("pending_decisions", "Decisions that wait for feedback.", recommender.pending),
    of("requests_in_hand", "Requests that are being answered.", inHand),
    ...options.connections.flatMap((connection) => connection.figures()),
  ];
}
