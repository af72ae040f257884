import { LineChart } from "../widgets/chart.js";
import { Figures } from "../widgets/fields.js";
import { format } from "../widgets/format.js";
import { Brought } from "./brought.js";
import type { History, Moment } from "./history.js";

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
        <Chart moments={moments} title="Exploration of the first place" names={{ exploration: "share" }} />
      </div>
      <div class="stack">
        <Chart moments={moments} title="Newest model" names={{ loss: "loss", gradientNorm: "gradient norm" }} />
        <Chart moments={moments} title="Mean value" names={{ qMean: "mean Q" }} />
        <Chart moments={moments} title="TD error" names={{ tdErrorP50: "median", tdErrorP90: "ninth decile" }} />
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
