/** Bounds of the buckets of latencies, seconds. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A histogram of seconds, as Prometheus counts them. */
class Histogram {
  readonly counts = new Array<number>(BOUNDS.length + 1).fill(0);
  sum = 0;
  count = 0;

  add(seconds: number): void {
    const bucket = BOUNDS.findIndex((bound) => seconds <= bound);
    this.counts[bucket < 0 ? BOUNDS.length : bucket]!++;
    this.sum += seconds;
    this.count++;
  }
}

/** A distribution, as a page of metrics shows it. */
export interface Distribution {
  /** Without `liveq_`. */
  name: string;
  help: string;
  /** Upper bounds of the buckets, in the unit of the name. */
  bounds: readonly number[];
  /** Of each bucket by itself, and last of what is above all bounds. */
  counts: readonly number[];
  sum: number;
}

/** One figure of a page of metrics. */
export interface Metric {
  /** Without `liveq_`; a counter's ends in `_total`. */
  name: string;
  help: string;
  value: number;
  labels?: Readonly<Record<string, string>>;
}

/** What a server answered since it began. */
export interface MetricsSummary {
  /** Upper bounds of the buckets of latencies, seconds; one more bucket is for what is above. */
  readonly bounds: readonly number[];
  readonly latencies: readonly { route: string; counts: readonly number[]; sum: number; count: number }[];
  /** Events that were not taken, and requests that were sent away unread, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly sentAway: Readonly<Record<string, number>>;
}

/** Counts what a server answers, and writes the page that Prometheus reads: exposition format 0.0.4. */
export class ServerMetrics {
  readonly #latencies = new Map<string, Histogram>();
  readonly #answers = new Map<string, number>();
  readonly #faults = new Map<string, number>();
  readonly #away = new Map<string, number>();
  /** Pages that watch. */
  watchers = 0;

  /** Counts an answer. `route`: its pattern, not the path, which outsiders choose. */
  answered(route: string, status: number, seconds: number): void {
    const histogram = this.#latencies.get(route) ?? new Histogram();
    histogram.add(seconds);
    this.#latencies.set(route, histogram);
    const key = labels({ route, status: String(status) });
    this.#answers.set(key, (this.#answers.get(key) ?? 0) + 1);
  }

  /** Counts events that were not taken, by the reason. */
  refused(reason: string, count = 1): void {
    this.#faults.set(reason, (this.#faults.get(reason) ?? 0) + count);
  }

  /** Counts a request that was sent away unread. */
  sentAway(reason: string): void {
    this.#away.set(reason, (this.#away.get(reason) ?? 0) + 1);
  }

  /** Latencies, answers and refusals, as plain data. */
  summary(): MetricsSummary {
    const latencies = [...this.#latencies].map(([route, { counts, sum, count }]) => ({
      route,
      counts: [...counts],
      sum,
      count,
    }));
    return {
      bounds: BOUNDS,
      latencies,
      refused: Object.fromEntries(this.#faults),
      sentAway: Object.fromEntries(this.#away),
    };
  }

  /** The page, with more figures and distributions. */
  page(more: readonly Metric[], distributions: readonly Distribution[] = []): string {
    const lines: string[] = [];
    const family = (name: string, help: string, type: string, rows: readonly string[]) => {
      lines.push(`# HELP liveq_${name} ${help}`, `# TYPE liveq_${name} ${type}`, ...rows);
    };
    family("request_seconds", "Time from a request to its answer.", "histogram", this.#buckets());
    family("requests_total", "Answers, by route and status.", "counter", rows("requests_total", this.#answers));
    const counts = (name: string, help: string, given: ReadonlyMap<string, number>) => {
      const known = new Map([...given].map(([reason, count]) => [labels({ reason }), count]));
      family(name, help, "counter", rows(name, known));
    };
    counts("events_refused_total", "Events that were not taken, by reason.", this.#faults);
    counts("requests_sent_away_total", "Requests that were sent away unread, by reason.", this.#away);
    for (const { name, help, ...buckets } of distributions)
      family(name, help, "histogram", bucketLines(name, {}, buckets));
    // Rows of one name stand together, behind one head.
    for (const [name, all] of grouped(more)) {
      const lines = all.map(
        (one) => `liveq_${name}${one.labels === undefined ? "" : labels(one.labels)} ${number(one.value)}`,
      );
      family(name, all[0]!.help, name.endsWith("_total") ? "counter" : "gauge", lines);
    }
    return `${lines.join("\n")}\n`;
  }

  #buckets(): string[] {
    return [...this.#latencies].flatMap(([route, { counts, sum }]) =>
      bucketLines("request_seconds", { route }, { bounds: BOUNDS, counts, sum }),
    );
  }
}

/** The rows of a histogram: Prometheus counts in each bucket also what is in those below. */
function bucketLines(
  name: string,
  own: Readonly<Record<string, string>>,
  { bounds, counts, sum }: Pick<Distribution, "bounds" | "counts" | "sum">,
): string[] {
  let below = 0;
  const lines = [...bounds.map(String), "+Inf"].map((le, i) => {
    below += counts[i]!;
    return `liveq_${name}_bucket${labels({ ...own, le })} ${below}`;
  });
  const of = Object.keys(own).length === 0 ? "" : labels(own);
  return [...lines, `liveq_${name}_sum${of} ${sum}`, `liveq_${name}_count${of} ${below}`];
}

function grouped(metrics: readonly Metric[]): Map<string, Metric[]> {
  const found = new Map<string, Metric[]>();
  for (const metric of metrics) found.set(metric.name, [...(found.get(metric.name) ?? []), metric]);
  return found;
}

function rows(name: string, counts: ReadonlyMap<string, number>): string[] {
  return [...counts].map(([key, count]) => `liveq_${name}${key} ${count}`);
}

function labels(given: Readonly<Record<string, string>>): string {
  const escaped = (value: string) => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `{${Object.entries(given)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(",")}}`;
}

function number(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}
