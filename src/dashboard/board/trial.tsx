import { useState } from "preact/hooks";
import type { TrialReport } from "../../server/index.js";
import { LineChart } from "../widgets/chart.js";
import { ChoiceField, Figures, TextField } from "../widgets/fields.js";
import { format } from "../widgets/format.js";
import { Failure, useChange } from "./change.js";
import type { History } from "./history.js";

/** The A/B test: its form, or how it stands, with the interval that holds at all looks. */
export function Trial({ history }: { history: History }) {
  const { failure, change } = useChange();
  const [name, setName] = useState("is it worth it");
  const [b, setB] = useState("popular");
  const [share, setShare] = useState("0.1");
  const [hours, setHours] = useState("72");
  const { trial, models } = history.state;
  const bound = (key: "value" | "lo" | "hi") => history.trial.map(({ of }) => of.result.difference[key] ?? null);
  const x = { label: "second", values: history.trial.map(({ second }) => second) };
  const line = { label: "difference and interval", values: bound("value"), band: { lo: bound("lo"), hi: bound("hi") } };
  const policies = ["popular", ...models.map(({ version }) => `model ${version}`)];
  const start = () => {
    const policy = b === "popular" ? b : { model: Number(b.slice("model ".length)) };
    change("POST", "v1/experiment", { name, b: policy, share: Number(share), windowMs: 3_600_000 * Number(hours) });
  };
  return (
    <section class="card" aria-labelledby="trial">
      <h2 id="trial">A/B test</h2>
      {trial === undefined ? (
        <>
          <TextField label="Name" hint="it gives each viewer an arm" value={name} onChange={setName} />
          <ChoiceField label="Against the newest model" hint="arm b" value={b} choices={policies} onChange={setB} />
          <TextField label="Share of viewers" hint="of arm b, in (0, 1)" value={share} onChange={setShare} />
          <TextField
            label="Hours that count"
            hint="of each viewer, from the first slate"
            value={hours}
            onChange={setHours}
          />
          <div class="row">
            <button type="button" class="first" onClick={start}>
              Start
            </button>
          </div>
        </>
      ) : (
        <>
          <Standing trial={trial} />
          <LineChart title="b above a" x={x} lines={[line]} height={120} />
          <button type="button" onClick={() => change("DELETE", "v1/experiment")}>
            End it
          </button>
        </>
      )}
      <Failure text={failure} />
    </section>
  );
}

function Standing({ trial: { options, result, open } }: { trial: TrialReport }) {
  const { status, a, b, difference } = result;
  const text = (value: number | null) => format(value ?? Number.NaN);
  const arm = ({ mean, users }: typeof a) =>
    users === 0 ? "no viewer yet" : `${text(mean)}, ${format(users)} viewers`;
  const interval =
    difference.lo === null || difference.hi === null ? "" : ` [${text(difference.lo)}, ${text(difference.hi)}]`;
  return (
    <>
      <Figures
        of={{
          Test: options.name,
          State: status,
          "Arm a": arm(a),
          "Arm b": arm(b),
          "b above a": difference.value === null ? "not known yet" : `${text(difference.value)}${interval}`,
          "Windows open": format(open),
        }}
      />
      <p class="hint">The interval holds at all looks together: look whenever you like.</p>
    </>
  );
}

/** The candidate that scores beside the model that answers. */
export function Shadow({ history }: { history: History }) {
  const { failure, change } = useChange();
  const { shadow } = history.state.stats;
  return (
    <section class="card" aria-labelledby="shadow">
      <h2 id="shadow">In the shadow</h2>
      {shadow === undefined ? (
        <button type="button" onClick={() => change("POST", "v1/shadow", { model: "newest" })}>
          Let the newest model score beside the one that answers
        </button>
      ) : (
        <>
          <Figures
            of={{
              Requests: format(shadow.requests),
              "Same best stream": format(shadow.sameBest ?? Number.NaN),
              "Mean difference": format(shadow.difference ?? Number.NaN),
              "Root mean square": format(shadow.rmsDifference ?? Number.NaN),
            }}
          />
          <button type="button" onClick={() => change("DELETE", "v1/shadow")}>
            End it
          </button>
        </>
      )}
      <Failure text={failure} />
    </section>
  );
}
