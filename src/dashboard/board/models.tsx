import { format } from "../widgets/format.js";
import { Table } from "../widgets/table.js";
import { Failure, useChange } from "./change.js";
import type { History } from "./history.js";
import { Shadow, Trial } from "./trial.js";

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
  const rows = [...models].reverse().map(({ version, updates, loss, qMean }) => {
    const answers =
      version === stats.model ? (
        <strong>{stats.isPinned ? "yes, pinned" : "yes"}</strong>
      ) : (
        <button type="button" onClick={() => change("POST", "v1/models/rollback", { version })}>
          Go to {version}
        </button>
      );
    const figures = [updates, loss, qMean].map((value) => format(value ?? Number.NaN));
    return [version, [version, ...figures, answers]] as const;
  });
  return (
    <section class="card" aria-labelledby="models">
      <h2 id="models">Models</h2>
      <Table head={["Version", "Updates", "Loss", "Mean Q", "Answers"]} numbers={[1, 2, 3]} rows={rows} />
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
