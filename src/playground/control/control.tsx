import { useEffect, useRef } from "preact/hooks";
import { ChoiceField, Figures, format, LineChart, onColours, TextField } from "../../dashboard/index.js";
import { inkOf } from "./drawing.js";
import { Home } from "./home.js";
import { drawNetwork } from "./network.js";
import { PACES, type Session, type State, useSession, VIEW } from "./session.js";
import { ENVIRONMENTS, type EnvironmentName, RECIPES, SETTINGS, type Settings } from "./settings.js";
import type { Training } from "./trainer.js";

const ACTIONS: Readonly<Record<EnvironmentName, readonly string[]>> = {
  "CartPole-v1": ["push left", "push right"],
  "Acrobot-v1": ["turn left", "let hang", "turn right"],
  "MountainCar-v0": ["push left", "roll", "push right"],
};
function environmentOf(settings: URLSearchParams): EnvironmentName {
  const name = settings.get("environment") as EnvironmentName;
  return ENVIRONMENTS.includes(name) ? name : "CartPole-v1";
}

/** CartPole, Acrobot and MountainCar, learned in this page. */
export function ControlView({ place }: { place: URLSearchParams }) {
  const environment = environmentOf(place);
  return <Control key={environment} environment={environment} given={Object.fromEntries(place)} />;
}

function Control({ environment, given }: { environment: EnvironmentName; given: Settings }) {
  const session = useSession(environment, given);
  const { settings, setSettings, faults, training, state } = session;
  return (
    <div class="grid">
      <div class="stack">
        <SceneCard session={session} environment={environment} />
        <Now {...{ environment, training, state }} />
      </div>
      <div class="stack">
        <Curves training={training} solved={RECIPES[environment].solved} />
        <NetworkCard training={training} />
      </div>
      <Options {...{ settings, faults, isLocked: state !== "new", setSettings }} />
      <Home environment={environment} session={session} />
    </div>
  );
}

function SceneCard({ session, environment }: { session: Session; environment: EnvironmentName }) {
  const { canvas, state, pace, stored, failure } = session;
  return (
    <section class="card" aria-labelledby="scene">
      <h2 id="scene">{environment}</h2>
      <canvas ref={canvas} role="img" aria-label={`${environment}, step by step`} />
      <Buttons session={session} />
      <div class="row">
        <ChoiceField
          {...{ label: "Speed", hint: "real time: 50 steps a second", value: pace, choices: Object.keys(PACES) }}
          onChange={session.choosePace}
        />
        <ChoiceField
          {...{ label: "Environment", hint: "each keeps its own training", value: environment, choices: ENVIRONMENTS }}
          onChange={(name) => {
            location.hash = `${VIEW}?environment=${name}`;
          }}
        />
      </div>
      {state === "new" && stored !== undefined && (
        <p class="row">
          <button type="button" onClick={() => session.goOn(stored)}>
            Go on with the kept training
          </button>
          <span class="hint">
            {stored.curve.at(-1)?.step ?? 0} steps, {stored.hash.slice(0, 12)}
          </span>
        </p>
      )}
      {failure !== "" && (
        <p class="error" role="alert">
          {failure}
        </p>
      )}
    </section>
  );
}

function Buttons({ session }: { session: Session }) {
  const { state, isWrong } = session;
  const isStill = state === "running" || state === "ended";
  return (
    <div class="row">
      {state === "running" ? (
        <button type="button" class="first" onClick={session.pause}>
          Pause
        </button>
      ) : (
        <button type="button" class="first" disabled={isWrong || state === "ended"} onClick={session.run}>
          {state === "paused" ? "Go on" : "Start"}
        </button>
      )}
      <button type="button" disabled={isWrong || isStill} onClick={session.step}>
        Step
      </button>
      <button type="button" disabled={state === "new"} onClick={session.reset}>
        Reset
      </button>
    </div>
  );
}

const STATES: Readonly<Record<State, string>> = {
  new: "not begun",
  running: "learning",
  paused: "paused",
  ended: "learned",
};

function Now({
  environment,
  training,
  state,
}: {
  environment: EnvironmentName;
  training: Training | undefined;
  state: State;
}) {
  const {
    step = 0,
    total = RECIPES[environment].steps,
    episodes = 0,
    meanReturn = Number.NaN,
    epsilon = 1,
  } = training?.progress ?? {};
  const evaluated = training?.curve.filter(({ evaluated }) => evaluated !== null).at(-1)?.evaluated;
  const best = Math.max(...(training?.values ?? []));
  return (
    <section class="card" aria-labelledby="now">
      <h2 id="now">Now</h2>
      <Figures
        of={{
          State: STATES[state],
          Steps: `${format(step)} of ${format(total)}`,
          "Steps a second": format(training?.stepsPerSecond ?? 0),
          Episodes: format(episodes),
          "Mean return, last 20": format(meanReturn),
          "Judged, greedy": evaluated === undefined || evaluated === null ? "" : format(evaluated),
          Exploration: format(epsilon),
        }}
      />
      <table>
        <caption class="hidden">Values of the actions in this state</caption>
        <thead>
          <tr>
            <th scope="col">Action</th>
            <th scope="col" class="number">
              Value
            </th>
          </tr>
        </thead>
        <tbody>
          {ACTIONS[environment].map((action, i) => {
            const value = training?.values[i];
            return (
              <tr key={action}>
                <td>{value === best ? <strong>{action}</strong> : action}</td>
                <td class="number">{value === undefined ? "" : value.toFixed(2)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function Curves({ training, solved }: { training: Training | undefined; solved: number }) {
  const curve = training?.curve ?? [];
  const of = (name: "meanReturn" | "evaluated" | "loss" | "qMean" | "epsilon") => curve.map((point) => point[name]);
  const x = { label: "steps", values: curve.map(({ step }) => step) };
  return (
    <section class="card" aria-labelledby="curves">
      <h2 id="curves">Curves</h2>
      <LineChart
        title="Return"
        x={x}
        lines={[
          { label: "last 20 episodes", values: of("meanReturn") },
          { label: "judged, greedy", values: of("evaluated") },
          { label: `solved: ${solved}`, values: curve.map(() => solved) },
        ]}
      />
      <LineChart title="Learning" x={x} height={140} lines={[{ label: "mean value", values: of("qMean") }]} />
      <LineChart title="Loss" x={x} height={140} lines={[{ label: "loss", values: of("loss") }]} />
    </section>
  );
}

function NetworkCard({ training }: { training: Training | undefined }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const layers = training?.layers;
  useEffect(() => {
    if (layers === undefined || layers.length === 0) return;
    const draw = () => drawNetwork(canvas.current!, layers, inkOf(canvas.current!));
    draw();
    return onColours(draw);
  }, [layers]);
  const text = (layers ?? []).map(({ name, inputs, outputs }) => `${name} ${inputs} to ${outputs}`).join(", ");
  return (
    <section class="card" aria-labelledby="network">
      <h2 id="network">Network</h2>
      <canvas ref={canvas} role="img" aria-label={`The heaviest weights of each layer: ${text || "none yet"}`} />
      <p class="hint">{text || "Its heaviest weights appear here once it learns."}</p>
    </section>
  );
}

interface OptionsProps {
  readonly settings: Settings;
  readonly faults: readonly (string | undefined)[];
  readonly isLocked: boolean;
  setSettings(settings: Settings): void;
}

function Options({ settings, faults, isLocked, setSettings }: OptionsProps) {
  return (
    <section class="card wide" aria-labelledby="options">
      <h2 id="options">Options</h2>
      <fieldset class="fields" disabled={isLocked}>
        <legend class="hidden">Options of the agent; reset to change them</legend>
        {SETTINGS.map(({ name, label, must, initial, choices }, i) => {
          const error = faults[i];
          const hint = `${must}; default ${initial}`;
          const shared = { label, hint, error, value: settings[name]! };
          const onChange = (value: string) => setSettings({ ...settings, [name]: value });
          return choices === undefined ? (
            <TextField key={name} {...shared} onChange={onChange} />
          ) : (
            <ChoiceField key={name} {...shared} choices={choices} onChange={onChange} />
          );
        })}
      </fieldset>
      {isLocked && <p class="hint">Reset to change them.</p>}
    </section>
  );
}
