import { useState } from "preact/hooks";
import { ChoiceField, Figures } from "../widgets/fields.js";
import { bytes, format } from "../widgets/format.js";
import { Histogram } from "../widgets/histogram.js";
import { Table } from "../widgets/table.js";
import type { History } from "./history.js";
import { quantileMs } from "./history.js";

/** Latencies, queues, and what was refused. */
export function OperationView({ history }: { history: History }) {
  const { state } = history;
  const { metrics, log, stats, inHand, recommender } = state;
  return (
    <div class="grid">
      <section class="card wide" aria-labelledby="queues">
        <h2 id="queues">Queues</h2>
        <Figures
          of={{
            "Requests in hand": format(inHand),
            "Records to learn": format(stats.behind),
            "Updates that are due": format(recommender.backlog),
            "Decisions that wait": format(recommender.pending),
            "Waiting for the disk": bytes(log.waitingBytes),
            Commits: format(log.commits),
            "Mean commit, ms": format(log.commits > 0 ? log.commitMs / log.commits : Number.NaN),
            "Longest commit, ms": format(log.commitMsMax),
            "Slates not logged": format(stats.unlogged),
          }}
        />
      </section>
      <Latencies history={history} />
      <Reasons title="Events that were refused" counts={metrics.refused} />
      <Reasons title="Requests that were sent away unread" counts={metrics.sentAway} />
    </div>
  );
}

/** A route, which may go on in another line behind each stroke. */
function breaking(route: string) {
  const parts = route.split(/(?<=\/)(?=.)/);
  return <span class="words">{parts.flatMap((part, i) => (i === 0 ? [part] : [<wbr key={part} />, part]))}</span>;
}

function Latencies({ history: { state } }: { history: History }) {
  const { latencies, bounds } = state.metrics;
  const [wanted, setWanted] = useState("/v1/recommend");
  const shown = latencies.find(({ route }) => route === wanted) ?? latencies[0];
  const rows = latencies.map(({ route, sum, count }) => {
    const quantiles = [0.5, 0.99].map((share) => format(quantileMs(state, undefined, route, share) ?? Number.NaN));
    return [route, [breaking(route), format(count), format((1000 * sum) / count), ...quantiles]] as const;
  });
  const upTo = (i: number) => (i < bounds.length ? format(1000 * bounds[i]!) : "above");
  return (
    <>
      <section class="card" aria-labelledby="latencies">
        <h2 id="latencies">Answers by route, since the server began</h2>
        <Table
          caption="milliseconds: the mean, and what half of them and 99 % took at most"
          head={["Route", "Answers", "Mean", "Half", "99\u00a0%"]}
          numbers={[1, 2, 3, 4]}
          rows={rows}
        />
      </section>
      <section class="card" aria-labelledby="histogram">
        <h2 id="histogram">How long answers took</h2>
        {shown !== undefined && (
          <>
            <ChoiceField
              label="Route"
              hint="since the server began"
              value={shown.route}
              choices={latencies.map(({ route }) => route)}
              onChange={setWanted}
            />
            <Histogram
              head={["Up to, ms", "Answers"]}
              buckets={shown.counts.map((count, i) => ({ title: upTo(i), count }))}
            />
          </>
        )}
      </section>
    </>
  );
}

function Reasons({ title, counts }: { title: string; counts: Readonly<Record<string, number>> }) {
  const rows = Object.entries(counts).map(([reason, count]) => [reason, [reason, format(count)]] as const);
  return (
    <section class="card" aria-label={title}>
      <h2>{title}</h2>
      {rows.length === 0 ? <p class="hint">None.</p> : <Table head={["Reason", "Number"]} numbers={[1]} rows={rows} />}
    </section>
  );
}
