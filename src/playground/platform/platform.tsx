import { useEffect, useRef, useState } from "preact/hooks";
import { format, LineChart } from "../../dashboard/index.js";
import type { Answer, Call, Contestant, Reading } from "./messages.js";

type World = Extract<Answer, { type: "world" }>;
type Slate = Extract<Answer, { type: "slate" }>;

/** A live platform with simulated viewers, three policies, and the reader as one more viewer. */
export function PlatformView() {
  const worker = useRef<Worker | undefined>(undefined);
  const [world, setWorld] = useState<World | undefined>(undefined);
  const [slate, setSlate] = useState<Slate | undefined>(undefined);
  const [isRunning, setRunning] = useState(false);
  const [failure, setFailure] = useState("");
  const send = (call: Call) => {
    worker.current!.postMessage(call);
    // The world waits while the reader chooses.
    setRunning(call.type === "run");
  };
  useEffect(() => {
    const own = new Worker(new URL("platform.js", document.baseURI), { type: "module" });
    worker.current = own;
    own.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (data.type === "world") setWorld(data);
      else if (data.type === "slate") setSlate(data);
      else setFailure(data.message);
    };
    own.onerror = ({ message }) => setFailure(message || "the worker did not start");
    send({ type: "run" });
    return () => own.terminate();
  }, []);
  const toggle = () => send({ type: isRunning ? "pause" : "run" });
  return (
    <div class="grid">
      <section class="card wide" aria-labelledby="world">
        <h2 id="world">150 simulated viewers, three policies</h2>
        <div class="row">
          <button type="button" class="first" onClick={toggle}>
            {isRunning ? "Pause" : "Go on"}
          </button>
          <span>
            day {world === undefined ? "0" : world.day.toFixed(1)}, {world?.onAir ?? 0} streams on air,{" "}
            {format(world?.updates ?? 0)} updates
          </span>
        </div>
        {failure !== "" && (
          <p class="error" role="alert">
            {failure}
          </p>
        )}
        {world === undefined || world.day < 1 ? (
          <p class="hint">Curves and figures begin when the first day is over.</p>
        ) : (
          <>
            <Minutes contestants={world.contestants} />
            <Table contestants={world.contestants} />
          </>
        )}
      </section>
      <You slate={slate} send={send} />
    </div>
  );
}

function Minutes({ contestants }: { contestants: readonly Contestant[] }) {
  const days = Math.max(0, ...contestants.map(({ minutesByDay }) => minutesByDay.length));
  const values = Array.from({ length: days }, (_, i) => i + 1);
  const lines = contestants.map(({ name, minutesByDay }) => ({ label: name, values: minutesByDay }));
  return <LineChart title="Minutes watched a viewer, by day" x={{ label: "day", values }} lines={lines} height={220} />;
}

const cell = (reading: Reading | undefined) => {
  return reading === undefined ? "" : `${format(reading.value)} [${format(reading.lo)}, ${format(reading.hi)}]`;
};

function Table({ contestants }: { contestants: readonly Contestant[] }) {
  return (
    <table>
      <caption class="hint">Since the first day, with 95 % intervals over viewers; read once a day</caption>
      <thead>
        <tr>
          <th scope="col">Policy</th>
          <th scope="col" class="number">
            Minutes a viewer and day
          </th>
          <th scope="col" class="number">
            Clicks an impression
          </th>
        </tr>
      </thead>
      <tbody>
        {contestants.map(({ name, minutes, clickRate }) => (
          <tr key={name}>
            <td>{name}</td>
            <td class="number">{cell(minutes)}</td>
            <td class="number">{cell(clickRate)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const sentence = (text: string) => text && `${text[0]!.toUpperCase()}${text.slice(1)}.`;

/** The reader's own slates. */
function You({ slate, send }: { slate: Slate | undefined; send(call: Call): void }) {
  return (
    <section class="card wide" aria-labelledby="you">
      <h2 id="you">You as a viewer</h2>
      <p class="hint">
        Watch what you like and leave the rest: the policy that has learned from the simulated viewers learns you. The
        world waits while you choose, and moves on while you watch.
      </p>
      {slate === undefined ? (
        <button type="button" onClick={() => send({ type: "slate" })}>
          Show me streams
        </button>
      ) : (
        <>
          <p aria-live="polite">
            {slate.visits} visits.{" "}
            {slate.tastes.length > 0 &&
              `Watched most: ${slate.tastes.map(([category, minutes]) => `${category} ${minutes} min`).join(", ")}.`}
          </p>
          <ul class="slate">
            {slate.slate.map(({ id, streamer, category, viewers, propensity, reason }) => (
              <li key={id} class="card" data-category={category}>
                <strong>{category}</strong> {streamer}
                <p class="hint">
                  {format(viewers)} {viewers === 1 ? "viewer" : "viewers"}, shown with probability {format(propensity)}.{" "}
                  {sentence(reason)}
                </p>
                <div class="row">
                  <button type="button" class="watch" onClick={() => send({ type: "watch", stream: id, minutes: 20 })}>
                    Watch 20 min
                  </button>
                  <button type="button" onClick={() => send({ type: "watch", stream: id, minutes: 0.1 })}>
                    Leave at once
                  </button>
                </div>
              </li>
            ))}
          </ul>
          <button type="button" onClick={() => send({ type: "slate" })}>
            Nothing for me: show others
          </button>
        </>
      )}
    </section>
  );
}
