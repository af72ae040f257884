import type { History } from "./history.js";

/** Rows that are drawn. */
const DRAWN = 60;

/** What happens, the newest first. */
export function TailView({ history }: { history: History }) {
  return (
    <section class="card" aria-labelledby="tail">
      <h2 id="tail">Decisions and events</h2>
      <table>
        <thead>
          <tr>
            {["Time", "What", "Viewer", "Streams"].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {history.tail.slice(0, DRAWN).map(({ n, at, kind, user, streams }) => (
            <tr key={n}>
              <td>{new Date(at).toISOString().slice(11, 19)}</td>
              <td>{kind}</td>
              <td>{user ?? ""}</td>
              <td>{streams.join(", ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
