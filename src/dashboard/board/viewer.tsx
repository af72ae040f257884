import { useEffect, useState } from "preact/hooks";
import { type Explanation, explanationLines } from "../../recommender/index.js";
import type { Preview } from "../../server/index.js";
import { TextField } from "../widgets/fields.js";
import { format } from "../widgets/format.js";
import { Table } from "../widgets/table.js";
import { ask } from "./server.js";

/** Streams of the list of what is on air. */
const LISTED = 50;

/** What would be shown to a viewer now and why; and what is on air, best first for somebody unknown. */
export function ViewerView() {
  const [user, setUser] = useState("");
  const [preview, setPreview] = useState<Preview | undefined>(undefined);
  const [onAir, setOnAir] = useState<Preview | undefined>(undefined);
  const [failure, setFailure] = useState("");
  const show = (name: string, k: number, take: (found: Preview) => void) => {
    ask<Preview>("POST", "v1/preview", { user: name, k }).then(
      (found) => {
        setFailure("");
        take(found);
      },
      (error: Error) => setFailure(error.message),
    );
  };
  useEffect(() => show("somebody unknown", LISTED, setOnAir), []);
  return (
    <div class="grid">
      <section class="card" aria-labelledby="viewer">
        <h2 id="viewer">What would be shown to a viewer now</h2>
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault();
            show(user, 6, setPreview);
          }}
        >
          <TextField label="Viewer" hint="an id; nothing is shown or remembered" value={user} onChange={setUser} />
          <button type="submit" class="first" disabled={user === ""}>
            Show
          </button>
        </form>
        {failure !== "" && (
          <p class="error" role="alert">
            {failure}
          </p>
        )}
        {preview !== undefined && <Slate preview={preview} />}
      </section>
      <section class="card" aria-labelledby="onair">
        <h2 id="onair">On air</h2>
        <OnAir preview={onAir} />
        <button type="button" onClick={() => show("somebody unknown", LISTED, setOnAir)}>
          Look again
        </button>
      </section>
    </div>
  );
}

function Slate({ preview }: { preview: Preview }) {
  if (preview.slate.length === 0) return <p>Nothing is on air for this viewer.</p>;
  return (
    <ol>
      {preview.slate.map((stream, i) => {
        const why = preview.explanations?.[i];
        const chance = preview.propensities?.[i];
        const percent = chance === undefined ? "" : `; ${format(100 * chance)} % to be here, with exploration`;
        return (
          <li key={stream} data-stream={stream}>
            <strong>{stream}</strong>{" "}
            <span class="hint">
              value {format(preview.scores[i]!)}
              {percent}
            </span>
            {why !== undefined && <Why explanation={why} />}
          </li>
        );
      })}
    </ol>
  );
}

function Why({ explanation }: { explanation: Explanation }) {
  const { value, sources, groups } = explanation;
  const parts =
    value.immediate === undefined ? "" : `; at once ${format(value.immediate)}, later ${format(value.return ?? 0)}`;
  return (
    <details>
      <summary>{explanationLines(explanation)[0]}</summary>
      <p class="hint">
        Found by {sources.join(", ")}
        {parts}
      </p>
      <Table
        head={["Group of features", "Adds to its score"]}
        numbers={[1]}
        rows={groups.map(({ group, score }) => [group, [group, format(score)]])}
      />
    </details>
  );
}

function OnAir({ preview }: { preview: Preview | undefined }) {
  if (preview === undefined) return <p class="hint">Asking…</p>;
  if (preview.slate.length === 0) return <p class="hint">Nothing is on air.</p>;
  const rows = preview.slate.map((stream, i) => {
    const facts = preview.explanations?.[i]?.facts;
    const figures = facts === undefined ? [] : [facts.viewers, Math.round(facts.onAirMs / 60_000)].map(format);
    return [stream, [stream, facts?.category ?? "", ...figures]] as const;
  });
  const caption = `The best ${preview.slate.length} for a viewer of whom nothing is known`;
  return (
    <Table caption={caption} head={["Stream", "Category", "Viewers", "Minutes on air"]} numbers={[2, 3]} rows={rows} />
  );
}
