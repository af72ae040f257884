import { useState } from "preact/hooks";
import { ChoiceField, Figures, TextField } from "../widgets/fields.js";
import { format } from "../widgets/format.js";
import type { History } from "./history.js";
import { ask } from "./server.js";

/** Asks for a change, and says what went wrong. */
function useChange(): { failure: string; change: (method: string, path: string, body?: unknown) => void } {
  const [failure, setFailure] = useState("");
  const change = (method: string, path: string, body?: unknown) => {
    ask(method, path, body).then(
      () => setFailure(""),
      (error: Error) => setFailure(error.message),
    );
  };
  return { failure, change };
}

function Failure({ text }: { text: string }) {
  if (text === "") return null;
  return (
    <p class="error" role="alert">
      {text}
    </p>
  );
}

/** The models that one can go back to, the candidate that scores in the shadow, and the A/B test. */
export function ModelsView({ history }: { history: History }) {
  return (
    <div class="grid">
      <Models history={history} />
      <div class="stack">
        <Trial history={history} />
        <Shadow history={history} />
      </div>
    </div>
  );
}

function Models({ history }: { history: History }) {
  const { failure, change } = useChange();
  const { models, stats } = history.state;
  return (
    <section class="card" aria-labelledby="models">
      <h2 id="models">Models</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col" class="number">
              Updates
            </th>
            <th scope="col" class="number">
              Loss
            </th>
            <th scope="col" class="number">
              Mean Q
            </th>
            <th scope="col">Answers</th>
          </tr>
        </thead>
        <tbody>
          {[...models].reverse().map(({ version, updates, loss, qMean }) => (
            <tr key={version} data-version={version}>
              <td>{version}</td>
              <td class="number">{format(updates)}</td>
              <td class="number">{format(loss ?? Number.NaN)}</td>
              <td class="number">{format(qMean ?? Number.NaN)}</td>
              <td>
                {version === stats.model ? (
                  <strong>{stats.isPinned ? "yes, pinned" : "yes"}</strong>
                ) : (
                  <button type="button" onClick={() => change("POST", "v1/models/rollback", { version })}>
                    Go to {version}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="row">
        <button type="button" disabled={!stats.isPinned} onClick={() => change("POST", "v1/models/release")}>
          Let the newest answer again
        </button>
      </div>
      {stats.heldBack !== undefined && (
        <p class="error">
          The model of {format(stats.heldBack.updates)} updates is held back: {stats.heldBack.reason}
        </p>
      )}
      <Failure text={failure} />
    </section>
  );
}

function Trial({ history }: { history: History }) {
  const { failure, change } = useChange();
  const [name, setName] = useState("is it worth it");
  const [b, setB] = useState("popular");
  const [share, setShare] = useState("0.1");
  const { trial, models } = history.state;
  const policies = ["popular", ...models.map(({ version }) => `model ${version}`)];
  const start = () => {
    const policy = b === "popular" ? b : { model: Number(b.slice("model ".length)) };
    change("POST", "v1/experiment", { name, b: policy, share: Number(share) });
  };
  return (
    <section class="card" aria-labelledby="trial">
      <h2 id="trial">A/B test</h2>
      {trial === undefined ? (
        <>
          <TextField label="Name" hint="it gives each viewer an arm" value={name} onChange={setName} />
          <ChoiceField label="Against the newest model" hint="arm b" value={b} choices={policies} onChange={setB} />
          <TextField label="Share of viewers" hint="of arm b, in (0, 1)" value={share} onChange={setShare} />
          <div class="row">
            <button type="button" class="first" onClick={start}>
              Start
            </button>
          </div>
        </>
      ) : (
        <>
          <Figures
            of={{
              Test: trial.options.name,
              State: trial.result.status,
              "Arm a": `${format(trial.result.a.mean ?? Number.NaN)}, ${format(trial.result.a.users)} viewers`,
              "Arm b": `${format(trial.result.b.mean ?? Number.NaN)}, ${format(trial.result.b.users)} viewers`,
              "b above a": `${format(trial.result.difference.value ?? Number.NaN)} [${format(trial.result.difference.lo ?? Number.NaN)}, ${format(trial.result.difference.hi ?? Number.NaN)}]`,
              "Windows open": format(trial.open),
            }}
          />
          <p class="hint">The interval holds at all looks together: look whenever you like.</p>
          <button type="button" onClick={() => change("DELETE", "v1/experiment")}>
            End it
          </button>
        </>
      )}
      <Failure text={failure} />
    </section>
  );
}

function Shadow({ history }: { history: History }) {
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
