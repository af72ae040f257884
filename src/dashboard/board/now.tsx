import { LineChart } from "../widgets/chart.js";
import { Figures } from "../widgets/fields.js";
import { format } from "../widgets/format.js";
import type { History, Moment } from "./history.js";

/** Metrics of the policy in the words of a reader, and their units. */
const METRICS: readonly (readonly [metric: string, title: string])[] = [
  ["watch_min_per_user_day", "Minutes watched a viewer and day"],
  ["watch_min_per_visit", "Minutes a visit"],
  ["click_rate", "Clicks an impression"],
  ["sessions_per_user_day", "Sessions a viewer and day"],
  ["return_rate_1d", "Back within a day"],
  ["hours_to_next_visit", "Hours to the next visit"],
  ["stream_coverage", "Share of streams that were shown"],
  ["exposure_gini", "Gini of exposure"],
  ["slate_diversity", "Diversity of a slate"],
];

/** What goes on now, and what the policy has brought. */
export function NowView({ history }: { history: History }) {
  const { state, moments } = history;
  const { stats, recommender } = state;
  return (
    <div class="grid">
      <section class="card wide" aria-labelledby="now">
        <h2 id="now">Now</h2>
        <Figures
          of={{
            "Streams on air": format(recommender.onAir),
            Viewers: format(recommender.users),
            Slates: format(stats.requests),
            Events: format(stats.events),
            "Slates a second": format(moments.at(-1)!.slates),
            "Events a second": format(moments.at(-1)!.events),
            Model: `${stats.model}${stats.isPinned ? ", pinned" : ""}`,
            Updates: format(stats.modelUpdates),
            "Records to learn": format(stats.behind),
            "Awaiting feedback": format(recommender.pending),
          }}
        />
        {stats.failed !== undefined && (
          <p class="error" role="alert">
            The {stats.failed} no longer works: start the server anew.
          </p>
        )}
      </section>
      <div class="stack">
        <Chart moments={moments} title="A second" names={{ slates: "slates", events: "events" }} />
        <Chart moments={moments} title="Recommend, p99 in ms" names={{ p99: "at most" }} />
      </div>
      <div class="stack">
        <Chart moments={moments} title="Loss of the newest model" names={{ loss: "loss" }} />
        <Chart moments={moments} title="Mean value" names={{ qMean: "mean Q" }} />
        <Chart moments={moments} title="Exploration of the first place" names={{ exploration: "share" }} />
      </div>
      <Brought history={history} />
    </div>
  );
}

function Chart(props: { moments: readonly Moment[]; title: string; names: Partial<Record<keyof Moment, string>> }) {
  const { moments, title, names } = props;
  const x = { label: "second", values: moments.map(({ second }) => second) };
  const lines = Object.entries(names).map(([name, label]) => ({
    label,
    values: moments.map((moment) => moment[name as keyof Moment]),
  }));
  return (
    <section class="card" aria-label={title}>
      <LineChart title={title} x={x} lines={lines} height={130} />
    </section>
  );
}

function Brought({ history }: { history: History }) {
  const { figures } = history.state;
  const rows = METRICS.flatMap(([metric, title]) => {
    const figure = figures.find((one) => one.metric === metric);
    return figure === undefined ? [] : [{ title, figure }];
  });
  return (
    <section class="card wide" aria-labelledby="brought">
      <h2 id="brought">What the policy has brought since the server began</h2>
      {rows.length === 0 ? (
        <p class="hint">Nothing is known yet.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Figure</th>
              <th scope="col" class="number">
                Value
              </th>
              <th scope="col" class="number">
                95 % interval
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ title, figure }) => (
              <tr key={title}>
                <td>{title}</td>
                <td class="number">{format(figure.value)}</td>
                <td class="number">
                  {format(figure.lo)} to {format(figure.hi)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
