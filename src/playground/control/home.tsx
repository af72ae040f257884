import { useEffect, useMemo, useState } from "preact/hooks";
import { bytes, download } from "../../dashboard/index.js";
import type { SavedTraining } from "./calls.js";
import { codeOf } from "./code.js";
import { Scene } from "./scenes.js";
import type { Session } from "./session.js";
import type { EnvironmentName } from "./settings.js";
import type { Saved } from "./trainer.js";

/** The training as a file, the network for other programs, and the program that repeats it. */
export function Home({ environment, session }: { environment: EnvironmentName; session: Session }) {
  const { settings, isWrong, state, stored } = session;
  const [made, setMade] = useState<Saved | undefined>(undefined);
  useEffect(() => {
    if (state === "new") setMade(undefined);
  }, [state]);
  const sizes = useMemo(() => {
    const { observationSize, actions } = new Scene(environment);
    return { observation: observationSize, actions };
  }, []);
  const { hash, weights } = made?.saved ?? stored ?? {};
  const code = isWrong ? "" : codeOf(environment, settings, sizes);
  return (
    <section class="card wide" aria-labelledby="home">
      <h2 id="home">Take it home</h2>
      <Files {...{ environment, session, made, setMade }} />
      <p class="hint" data-hash={hash}>
        Agent {hash?.slice(0, 16) ?? "not saved yet"}; weights {weights ?? "not saved yet"}
      </p>
      <h2>The same in Node</h2>
      <textarea class="code" readOnly rows={16} aria-label="The program" value={code} />
      <div class="row">
        <button type="button" onClick={() => navigator.clipboard?.writeText(code)}>
          Copy
        </button>
      </div>
    </section>
  );
}

interface FilesProps {
  readonly environment: EnvironmentName;
  readonly session: Session;
  readonly made: Saved | undefined;
  setMade(made: Saved): void;
}

function Files({ environment, session, made, setMade }: FilesProps) {
  const name = environment.toLowerCase();
  const open = async (file: File | undefined) => {
    if (file === undefined) return;
    try {
      session.goOn(await opened(file, environment));
      session.setFailure("");
    } catch (error) {
      session.setFailure((error as Error).message);
    }
  };
  return (
    <div class="row">
      <button type="button" disabled={session.state === "new"} onClick={async () => setMade(await session.save())}>
        Make files
      </button>
      {made !== undefined && (
        <>
          <button type="button" onClick={() => download(`${name}.liveq-training`, packed(made.saved))}>
            Training, {bytes(made.saved.file.byteLength)}
          </button>
          <button type="button" onClick={() => download(`${name}.safetensors`, made.safetensors)}>
            Weights as safetensors
          </button>
          <button type="button" onClick={() => download(`${name}.onnx`, made.onnx)}>
            Network as ONNX
          </button>
        </>
      )}
      <label>
        Open a training{" "}
        <input type="file" accept=".liveq-training" onChange={(event) => open(event.currentTarget.files?.[0])} />
      </label>
    </div>
  );
}

/** A training as one file: a line of JSON, then the bytes. */
function packed({ file, ...rest }: SavedTraining): Uint8Array {
  const head = new TextEncoder().encode(`${JSON.stringify(rest)}\n`);
  const whole = new Uint8Array(head.byteLength + file.byteLength);
  whole.set(head);
  whole.set(file, head.byteLength);
  return whole;
}

/** @throws Error for a file of something else. */
async function opened(file: File, environment: EnvironmentName): Promise<SavedTraining> {
  const whole = new Uint8Array(await file.arrayBuffer());
  const end = whole.indexOf(10);
  try {
    const head = JSON.parse(new TextDecoder().decode(whole.subarray(0, end))) as Omit<SavedTraining, "file">;
    if (head.environment !== environment) {
      throw new Error(`it is a training of ${JSON.stringify(head.environment)}, and this view shows ${environment}`);
    }
    return { ...head, file: whole.slice(end + 1) };
  } catch (error) {
    throw new Error(`${file.name} is not a training of this page: ${(error as Error).message}`);
  }
}
