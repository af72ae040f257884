import { Table } from "../widgets/table.js";
import type { History } from "./history.js";

/** Rows that are drawn. */
const DRAWN = 60;

/** A word that stays in one line. */
const whole = (word: string) => <span class="words">{word}</span>;

/** What happens, the newest first. */
export function TailView({ history }: { history: History }) {
  const rows = history.tail.slice(0, DRAWN).map(({ n, at, kind, user, streams }) => {
    const time = new Date(at).toISOString().slice(11, 19);
    return [n, [whole(time), whole(kind), user ?? "", streams.join(", ")]] as const;
  });
  return (
    <section class="card" aria-labelledby="tail">
      <h2 id="tail">Decisions and events</h2>
      <Table head={["Time", "What", "Viewer", "Streams"]} rows={rows} />
    </section>
  );
}
