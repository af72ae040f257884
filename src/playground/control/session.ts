import type { RefObject } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { keepSettings, onColours } from "../../dashboard/index.js";
import type { SavedTraining } from "./calls.js";
import { drawFrame, inkOf } from "./drawing.js";
import { Scene } from "./scenes.js";
import { type EnvironmentName, faultOf, SETTINGS, type Settings, settingsOf } from "./settings.js";
import { drop, keep, kept } from "./store.js";
import { type Saved, TrainerWorker, type Training } from "./trainer.js";

/** Its name in the address. */
export const VIEW = "control";

/** Steps a second, by the name of the speed. */
export const PACES: Readonly<Record<string, number>> = {
  full: Number.POSITIVE_INFINITY,
  "real time": 50,
  "ten times": 500,
  slow: 10,
};

export type State = "new" | "running" | "paused" | "ended";

/** A training as the page holds it: what is known of it, and what can be done with it. */
export interface Session {
  readonly canvas: RefObject<HTMLCanvasElement | null>;
  readonly settings: Settings;
  setSettings(settings: Settings): void;
  /** By setting, what is wrong with it. */
  readonly faults: readonly (string | undefined)[];
  readonly isWrong: boolean;
  readonly pace: string;
  choosePace(name: string): void;
  readonly state: State;
  readonly training: Training | undefined;
  /** What this browser keeps. */
  readonly stored: SavedTraining | undefined;
  /** What went wrong, "" for nothing. */
  readonly failure: string;
  setFailure(text: string): void;
  run(): void;
  pause(): void;
  step(): void;
  reset(): void;
  goOn(saved: SavedTraining): void;
  save(): Promise<Saved>;
}

/** What differs from the recipe: what the address holds. */
function changesOf(environment: EnvironmentName, settings: Settings): Record<string, string> {
  const recipe = settingsOf(environment, {});
  const changes = Object.entries(settings).filter(([name, value]) => value !== recipe[name]);
  return { environment, ...Object.fromEntries(changes) };
}

/** A worker, and what it tells; a new one at each `begin`. */
function useWorker(environment: EnvironmentName) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const worker = useRef<TrainerWorker | undefined>(undefined);
  const [training, setTraining] = useState<Training | undefined>(undefined);
  const [failure, setFailure] = useState("");
  const drawn = useRef<Training["frame"] | undefined>(undefined);
  const draw = useCallback((frame: Training["frame"]) => {
    drawn.current = frame;
    const element = canvas.current;
    if (element !== null) drawFrame(element, environment, frame, inkOf(element));
  }, []);
  const end = useCallback(() => {
    worker.current?.end();
    worker.current = undefined;
    setTraining(undefined);
    setFailure("");
  }, []);
  const begin = useCallback(() => {
    end();
    worker.current = new TrainerWorker({ onReport: setTraining, onFrame: draw, onFailed: setFailure });
    return worker.current;
  }, []);
  useEffect(() => {
    const scene = new Scene(environment);
    scene.reset(0);
    draw(scene.frame());
    const forget = onColours(() => draw(drawn.current!));
    return () => {
      forget();
      worker.current?.end();
    };
  }, []);
  return { canvas, worker, training, failure, setFailure, begin, end };
}

/** The training that this browser keeps of an environment. */
function useStored(
  environment: EnvironmentName,
  save: () => Promise<Saved> | undefined,
  onFailure: (text: string) => void,
) {
  const [stored, setStored] = useState<SavedTraining | undefined>(undefined);
  const store = useCallback(async () => {
    const saved = (await save())?.saved;
    if (saved === undefined) return;
    const tell = (error: Error) => onFailure(`this browser keeps nothing: ${error.message}`);
    await keep(saved).then(() => setStored(saved), tell);
  }, []);
  useEffect(() => {
    kept(environment).then(setStored);
    const hide = () => void (document.visibilityState === "hidden" && store());
    document.addEventListener("visibilitychange", hide);
    return () => document.removeEventListener("visibilitychange", hide);
  }, []);
  return { stored, setStored, store };
}

/** The session of an environment's view; its settings are in the address. */
export function useSession(environment: EnvironmentName, given: Settings): Session {
  const [settings, setSettings] = useState(() => settingsOf(environment, given));
  const [pace, setPace] = useState("full");
  const [state, setState] = useState<State>("new");
  const { canvas, worker, training, failure, setFailure, begin, end } = useWorker(environment);
  const { stored, setStored, store } = useStored(environment, () => worker.current?.save(), setFailure);
  const faults = useMemo(() => SETTINGS.map((setting) => faultOf(setting, settings[setting.name]!)), [settings]);
  useEffect(() => keepSettings(VIEW, changesOf(environment, settings)), [settings]);
  useEffect(() => {
    if (training?.ended !== undefined) setState("ended");
  }, [training?.ended]);
  const begun = (isPaused: boolean) => {
    if (state === "new") begin().start(environment, settings, isPaused);
    return worker.current!;
  };
  const known = { canvas, settings, setSettings, faults, pace, state, training, stored, failure, setFailure };
  return {
    ...known,
    isWrong: faults.some((fault) => fault !== undefined),
    run() {
      begun(false).run(PACES[pace]!);
      setState("running");
    },
    pause() {
      worker.current!.pause();
      setState("paused");
      void store();
    },
    step() {
      if (state === "new") begun(true);
      else worker.current!.step();
      setState("paused");
    },
    reset() {
      end();
      setState("new");
      setStored(undefined);
      void drop(environment);
    },
    goOn(saved) {
      setSettings(settingsOf(environment, saved.settings));
      begin().resume(saved);
      setState(saved.ended === undefined ? "paused" : "ended");
    },
    choosePace(name) {
      setPace(name);
      if (state === "running" || state === "ended") worker.current?.run(PACES[name]!);
    },
    save: () => worker.current!.save(),
  };
}
