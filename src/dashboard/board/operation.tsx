import { Figures } from "../widgets/fields.js";
import { bytes, format } from "../widgets/format.js";
import type { History } from "./history.js";
import { quantileMs } from "./history.js";

/** Latencies, queues, and what was refused. */
export function OperationView({ history }: { history: History }) {
  const { state } = history;
  const { metrics, log, stats, inHand } = state;
  return (
    <div class="grid">
      <section class="card wide" aria-labelledby="queues">
        <h2 id="queues">Queues</h2>
        <Figures
          of={{
            "Requests in hand": format(inHand),
            "Records to learn": format(stats.behind),
            "Waiting for the disk": bytes(log.waitingBytes),
            Commits: format(log.commits),
            "Mean commit, ms": format(log.commits > 0 ? log.commitMs / log.commits : Number.NaN),
            "Longest commit, ms": format(log.commitMsMax),
            "Slates not logged": format(stats.unlogged),
          }}
        />
      </section>
      <section class="card wide" aria-labelledby="latencies">
        <h2 id="latencies">Answers by route, since the server began</h2>
        <table>
          <thead>
            <tr>
              {["Route", "Answers", "Mean, ms", "p50 at most, ms", "p99 at most, ms"].map((title, i) => (
                <th key={title} scope="col" class={i > 0 ? "number" : ""}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {metrics.latencies.map(({ route, sum, count }) => (
              <tr key={route}>
                <td>{route}</td>
                <td class="number">{format(count)}</td>
                <td class="number">{format((1000 * sum) / count)}</td>
                <td class="number">{format(quantileMs(state, undefined, route, 0.5) ?? Number.NaN)}</td>
                <td class="number">{format(quantileMs(state, undefined, route, 0.99) ?? Number.NaN)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Reasons title="Events that were refused" counts={metrics.refused} />
      <Reasons title="Requests that were sent away unread" counts={metrics.sentAway} />
    </div>
  );
}

function Reasons({ title, counts }: { title: string; counts: Readonly<Record<string, number>> }) {
  const rows = Object.entries(counts);
  return (
    <section class="card" aria-label={title}>
      <h2>{title}</h2>
      {rows.length === 0 ? (
        <p class="hint">None.</p>
      ) : (
        <table>
          <tbody>
            {rows.map(([reason, count]) => (
              <tr key={reason}>
                <td>{reason}</td>
                <td class="number">{format(count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
