/** WebKitGTK, by WebDriver. It neither runs a script before the page's own nor tells what the console says: a server does. */
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { start } from "../../runtimes/execute.js";
import { type Front, front } from "./front.js";
import { BEFORE, KEYS, type Launch } from "./protocol.js";

/** So long that only what hangs takes it. */
const PATIENCE_MS = 600_000;
/** What WebDriver calls a reference to an element. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** Keeps what is wrong until it is asked for. */
const ERRORS = `
globalThis.wrong = [];
console.error = (...words) => void wrong.push(words.map(String).join(" "));
addEventListener("error", ({ message, target }) => void wrong.push(message ?? "not loaded: " + (target.src ?? target.href)), true);
addEventListener("unhandledrejection", ({ reason }) => void wrong.push("unhandled: " + reason));
`;

export const webdriver: Launch = async (browser, { folder, downloads, began, wrong }) => {
  const port = await freePort();
  const driver = [...browser.command.slice(0, -1), "WebKitWebDriver"];
  // Without a language of its own it would take "C" for one.
  const env = { ...browser.env, HOME: folder, XDG_CONFIG_HOME: folder, LC_ALL: "C" };
  writeFileSync(join(folder, "user-dirs.dirs"), `XDG_DOWNLOAD_DIR="${downloads}"\n`);
  const running = start({ ...browser, command: driver, env }, [`--port=${port}`], folder);
  began(running);
  const ask = asking(`http://127.0.0.1:${port}`, running.ended);
  const options = { binary: browser.command.at(-1), args: ["--automation"] };
  const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": options } };
  const { sessionId } = await ask<{ sessionId: string }>("POST", "/session", { capabilities });
  const call = <T>(method: string, path: string, body?: unknown) =>
    ask<T>(method, `/session/${sessionId}${path}`, body);
  await call("POST", "/timeouts", { script: PATIENCE_MS, pageLoad: PATIENCE_MS });
  const fronts = new Map<string, Promise<Front>>();
  const text = async (expression: string): Promise<string> => {
    const script = `const done = arguments[0];
      const tell = (answer) => done({ ...answer, wrong: globalThis.wrong?.splice(0) ?? [] });
      (async () => ${expression})().then((value) => tell({ value }), (error) => tell({ error: String(error) }));`;
    type Answer = { value: string; error?: string; wrong: string[] };
    const answer = await call<Answer>("POST", "/execute/async", { script, args: [] });
    for (const each of answer.wrong) wrong(each);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value;
  };
  return {
    async behind(url) {
      const made = fronts.get(url) ?? front(url, ERRORS + BEFORE);
      fronts.set(url, made);
      return (await made).url;
    },
    async open(url) {
      await text('""');
      await call("POST", "/url", { url });
    },
    text,
    async size(width, height) {
      // The window has a bar around the page, and is 447 wide at the least.
      await call("POST", "/window/rect", { width, height });
      const inner = JSON.parse(await text("JSON.stringify([innerWidth, innerHeight])")) as [number, number];
      await call("POST", "/window/rect", { width: 2 * width - inner[0], height: 2 * height - inner[1] });
    },
    picture: async () => Buffer.from(await call<string>("GET", "/screenshot"), "base64"),
    async choose(selector, file) {
      const found = await call<Record<string, string>>("POST", "/element", { using: "css selector", value: selector });
      await call("POST", `/element/${found[ELEMENT]}/value`, { text: file });
    },
    async press(key) {
      const strokes = ["keyDown", "keyUp"].map((type) => ({ type, value: KEYS[key].value }));
      await call("POST", "/actions", { actions: [{ type: "key", id: "keys", actions: strokes }] });
    },
  };
};

type Ask = <T>(method: string, path: string, body?: unknown) => Promise<T>;

/** Commands over HTTP; the first waits until the driver listens. */
function asking(url: string, ended: Promise<unknown>): Ask {
  const gone = ended.then(() => Promise.reject(new Error("WebKitWebDriver ended")));
  gone.catch(() => {});
  const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(url + path, {
      method,
      ...(body !== undefined && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    const { value } = (await response.json()) as { value: T & { error?: string; message?: string } };
    if (!response.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  };
  return async (method, path, body) => {
    for (let tries = 0; path === "/session"; tries++) {
      try {
        return await Promise.race([ask<never>(method, path, body), gone]);
      } catch (error) {
        if (!(error instanceof TypeError) || tries > 200) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    return Promise.race([ask<never>(method, path, body), gone]);
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
