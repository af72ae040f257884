import { Table } from "../widgets/table.js";
import type { History } from "./history.js";

/** Rows that are drawn. */
const DRAWN = 60;

/** What happens, the newest first. */
export function TailView({ history }: { history: History }) {
  const rows = history.tail.slice(0, DRAWN).map(({ n, at, kind, user, streams }) => {
    return [n, [new Date(at).toISOString().slice(11, 19), kind, user ?? "", streams.join(", ")]] as const;
  });
  return (
    <section class="card" aria-labelledby="tail">
      <h2 id="tail">Decisions and events</h2>
      <Table head={["Time", "What", "Viewer", "Streams"]} rows={rows} />
    </section>
  );
}
