import { useEffect, useState } from "preact/hooks";
import { Shell, usePlace, type View } from "../widgets/shell.js";
import { followed, type History } from "./history.js";
import { ModelsView } from "./models.js";
import { NowView } from "./now.js";
import { OperationView } from "./operation.js";
import { Refused, token, watch } from "./server.js";
import { TailView } from "./tail.js";
import { ViewerView } from "./viewer.js";

const VIEWS: readonly View[] = [
  { name: "now", title: "Now" },
  { name: "viewer", title: "Viewer" },
  { name: "models", title: "Models and tests" },
  { name: "operation", title: "Operation" },
  { name: "tail", title: "Tail" },
];

/** What stands beside it on a server. */
const LINKS = [{ href: "playground/", title: "Playground" }];

/** Milliseconds until it asks again, where the connection ended. */
const AGAIN_MS = 2000;

/** Watches the server while the page is there. */
function useHistory(attempt: number): { history: History | undefined; failure: Error | undefined } {
  const [history, setHistory] = useState<History | undefined>(undefined);
  const [failure, setFailure] = useState<Error | undefined>(undefined);
  useEffect(() => {
    let abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const begin = async () => {
      const { signal } = abort;
      try {
        await watch(signal, (state) => {
          setFailure(undefined);
          setHistory((before) => followed(before, state, performance.now()));
        });
        setFailure(new Error("the connection ended"));
      } catch (error) {
        if (signal.aborted) return;
        setFailure(error as Error);
        if (error instanceof Refused && (error.status === 401 || error.status === 403)) return;
      }
      if (!signal.aborted) timer = setTimeout(begin, AGAIN_MS);
    };
    const end = () => {
      abort.abort();
      clearTimeout(timer);
    };
    // A browser may keep a page that was left, and its connection with it.
    const again = ({ persisted }: PageTransitionEvent) => {
      if (!persisted) return;
      abort = new AbortController();
      void begin();
    };
    addEventListener("pagehide", end);
    addEventListener("pageshow", again);
    void begin();
    return () => {
      removeEventListener("pagehide", end);
      removeEventListener("pageshow", again);
      end();
    };
  }, [attempt]);
  return { history, failure };
}

/** The dashboard: one view at a time, by the address. */
export function Board() {
  const [attempt, setAttempt] = useState(0);
  const { view } = usePlace();
  const { history, failure } = useHistory(attempt);
  const current = VIEWS.some(({ name }) => name === view) ? view : "now";
  const isShut = failure instanceof Refused && (failure.status === 401 || failure.status === 403);
  return (
    <Shell title="LiveQ" views={VIEWS} current={current} links={LINKS}>
      {isShut ? (
        <TokenForm message={failure.message} onToken={() => setAttempt(attempt + 1)} />
      ) : (
        failure !== undefined && (
          <p class="error" role="alert">
            {failure.message}; asking again
          </p>
        )
      )}
      {history === undefined ? !isShut && <p>Asking the server…</p> : <Current view={current} history={history} />}
    </Shell>
  );
}

function Current({ view, history }: { view: string; history: History }) {
  if (view === "viewer") return <ViewerView />;
  if (view === "models") return <ModelsView history={history} />;
  if (view === "operation") return <OperationView history={history} />;
  if (view === "tail") return <TailView history={history} />;
  return <NowView history={history} />;
}

function TokenForm({ message, onToken }: { message: string; onToken: () => void }) {
  const [value, setValue] = useState("");
  return (
    <form
      class="card row"
      onSubmit={(event) => {
        event.preventDefault();
        token.set(value);
        onToken();
      }}
    >
      <label>
        Token, with the scope read; with admin also to change something{" "}
        <input
          type="password"
          autocomplete="off"
          value={value}
          onInput={(event) => setValue(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="first" disabled={value === ""}>
        Open
      </button>
      <span class="error" role="alert">
        {message}
      </span>
    </form>
  );
}
