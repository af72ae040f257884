import { useEffect, useRef, useState } from "preact/hooks";
import packageJson from "../../../package.json" with { type: "json" };
import { ENVIRONMENTS } from "../control/settings.js";
import { HASHES } from "./fixed.js";

type Found = Readonly<Record<string, string>>;

function report(found: Found): string {
  const lines = ENVIRONMENTS.map((name) => {
    const verdict = found[name] === undefined ? "not run" : found[name] === HASHES[name] ? "same" : "OTHER";
    return `${name}: ${verdict}\n  committed ${HASHES[name]}\n  here      ${found[name] ?? ""}`;
  });
  return [`LiveQ ${packageJson.version}`, navigator.userAgent, ...lines].join("\n");
}

/** Trains three fixed agents in this browser and compares all their bytes with those of Node. */
export function BitsView() {
  const [found, setFound] = useState<Found>({});
  const [isRunning, setRunning] = useState(false);
  const worker = useRef<Worker | undefined>(undefined);
  useEffect(() => () => worker.current?.terminate(), []);
  const run = () => {
    setFound({});
    setRunning(true);
    worker.current?.terminate();
    worker.current = new Worker(new URL("bits.js", document.baseURI), { type: "module" });
    worker.current.onmessage = ({ data }: MessageEvent<{ name: string; hash: string } | undefined>) => {
      if (data === undefined) setRunning(false);
      else setFound((before) => ({ ...before, [data.name]: data.hash }));
    };
    worker.current.postMessage("run");
  };
  return (
    <section class="card" aria-labelledby="bits">
      <h2 id="bits">The same bits everywhere</h2>
      <p>
        The same options and seed give the same bytes in every browser and runtime: weights, optimiser, replay,
        counters. Train three fixed agents here and compare their SHA-256 with the committed ones.
      </p>
      <div class="row">
        <button type="button" class="first" disabled={isRunning} onClick={run}>
          {isRunning ? "Training…" : "Train and compare"}
        </button>
        <button type="button" disabled={isRunning} onClick={() => navigator.clipboard?.writeText(report(found))}>
          Copy the report
        </button>
      </div>
      <table>
        <thead>
          <tr>
            <th scope="col">Agent</th>
            <th scope="col">Result</th>
            <th scope="col">SHA-256</th>
          </tr>
        </thead>
        <tbody aria-live="polite">
          {ENVIRONMENTS.map((name) => {
            const hash = found[name];
            const isSame = hash === HASHES[name];
            return (
              <tr key={name}>
                <td>{name}</td>
                <td>
                  {hash === undefined ? "" : <span class={isSame ? "same" : "other"}>{isSame ? "same" : "other"}</span>}
                </td>
                <td>
                  <code>{(hash ?? HASHES[name]).slice(0, 24)}…</code>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <textarea class="code" readOnly rows={11} aria-label="Report" value={report(found)} />
    </section>
  );
}
