import { COMMIT_BOUNDS_MS } from "../../../storage/index.js";
import type { Desk } from "../desk.js";
import type { Distribution, Metric } from "../metrics.js";

/** What Prometheus is told beside latencies and answers. */
export function figuresOf({ options, inHand, metrics }: Desk): Metric[] {
  const { edge, now } = options;
  const stats = edge.stats();
  const recommender = edge.recommenderStats();
  const rank = edge.rank.report();
  const newest = edge.models().at(-1)!;
  const { records, waitingBytes, commitMsMax } = edge.logStats();
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
    of("td_error_p50", "Median TD error in the last batch of the newest model, in units of return.", newest.tdErrorP50),
    of("td_error_p90", "Ninth decile of the same.", newest.tdErrorP90),
    of("gradient_norm", "Norm of the newest model's last gradient before it was clipped.", newest.gradientNorm),
    of("learner_updates", "Updates of the learner at the newest model.", newest.updates),
    of("learner_transitions", "Transitions that the learner was given until the newest model.", newest.transitions),
    of("learner_held_back", "Whether the last model did not pass the gates.", Number(stats.heldBack !== undefined)),
    of("first_places_total", "Slates with a first place.", stats.firstPlaces),
    of(
      "first_places_propensity_total",
      "Sum of the probabilities of their first place: per slate, 1 less this is exploration.",
      stats.firstPropensities,
    ),
    of("log_commit_seconds_max", "The longest write of the log since the start.", commitMsMax / 1000),
    of("log_records_total", "Records that were written.", records),
    of("log_waiting_bytes", "Bytes of records that wait for the disk.", waitingBytes),
    of(
      "learner_pending_updates",
      "Updates that are due and wait, of the recommender that serves.",
      recommender.backlog,
    ),
    of("streams_on_air", "Streams on air.", recommender.onAir),
    of("users", "Users that are remembered.", recommender.users),
    of("pending_decisions", "Decisions that wait for feedback.", recommender.pending),
    ...(stats.shadow === undefined
      ? []
      : [
          of("shadow_requests", "Requests that a candidate scored too.", stats.shadow.requests),
          of("shadow_same_best", "Share of them with the same best stream.", stats.shadow.sameBest),
          of("shadow_difference", "Mean difference of values, candidate minus model.", stats.shadow.difference),
          of("shadow_rms_difference", "Its root mean square.", stats.shadow.rmsDifference),
        ]),
    of("rank_choices_total", "Actions that were chosen.", rank.choices),
    of("rank_rewards_total", "Rewards of actions.", rank.rewards),
    of("rank_model_version", "The model that ranks.", rank.model),
    of("rank_model_updates", "Its updates.", rank.updates),
    of("rank_model_pinned", "Whether newer models of ranking wait.", Number(rank.isPinned)),
    of(
      "rank_held_back",
      "Whether the last model of ranking did not pass the gates.",
      Number(rank.heldBack !== undefined),
    ),
    of("rank_expired_total", "Chosen actions that got the default reward.", rank.expired),
    of("requests_in_hand", "Requests that are being answered.", inHand),
    of("watchers", "Pages that watch the server.", metrics.watchers),
    ...options.connections.flatMap((connection) => connection.figures()),
    ...options.figures(),
  ];
}

/** What Prometheus is told of distributions beside latencies. */
export function distributionsOf({ options }: Pick<Desk, "options">): Distribution[] {
  const { commitMs, commitCounts } = options.edge.logStats();
  return [
    {
      ...{ name: "log_commit_seconds", help: "Writes of the log, each with its flush, by how long they took." },
      ...{ bounds: COMMIT_BOUNDS_MS.map((ms) => ms / 1000), counts: commitCounts, sum: commitMs / 1000 },
    },
  ];
}
