import { useState } from "preact/hooks";
import { ask } from "./server.js";

/** Asks for a change, and says what went wrong. */
export function useChange(): { failure: string; change: (method: string, path: string, body?: unknown) => void } {
  const [failure, setFailure] = useState("");
  const change = (method: string, path: string, body?: unknown) => {
    ask(method, path, body).then(
      () => setFailure(""),
      (error: Error) => setFailure(error.message),
    );
  };
  return { failure, change };
}

/** What went wrong; nothing where nothing did. */
export function Failure({ text }: { text: string }) {
  if (text === "") return null;
  return (
    <p class="error" role="alert">
      {text}
    </p>
  );
}
