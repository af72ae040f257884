/** One tab of a real browser that is led from here: Chromium by its own protocol, Firefox by WebDriver BiDi. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browserArguments, type Running, start } from "../runtimes/execute.js";
import type { Runtime } from "../runtimes/install.js";
import { Wire } from "./socket.js";

/** So long that only what hangs takes it, on any machine. */
const PATIENCE_MS = 120_000;

/** Runs in each document before its own scripts: breaches of the policy become errors, and slates are counted. */
const BEFORE = `
addEventListener("securitypolicyviolation", (event) =>
  console.error("policy: " + event.violatedDirective + " " + event.blockedURI + " " + event.sourceFile + ":" + event.lineNumber));
globalThis.slates = [];
globalThis.Worker = class extends Worker {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ data }) => data?.type === "slate" && slates.push(data.slate.map((s) => s.category)));
  }
};
globalThis.byText = (text, within = "button") =>
  [...document.querySelectorAll(within)].find((one) => one.textContent.trim().startsWith(text));
globalThis.figure = (name) => byText(name, "dt")?.nextElementSibling.textContent;
globalThis.fieldOf = (label) => document.getElementById(byText(label, "label").htmlFor);
globalThis.put = (element, value) => {
  element.value = value;
  element.dispatchEvent(new Event(element.tagName === "SELECT" ? "change" : "input", { bubbles: true }));
};
globalThis.sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
`;

/** What the protocols do differently. */
interface Protocol {
  open(url: string): Promise<void>;
  /** The value of an expression that is a text. */
  text(expression: string): Promise<string>;
  /** CSS pixels. */
  size(width: number, height: number): Promise<void>;
  /** PNG of the whole page. */
  picture(): Promise<Buffer>;
  /** Gives a file to an input. */
  choose(selector: string, file: string): Promise<void>;
}

export class Tab {
  /** What the console or the policy said was wrong. */
  readonly errors: string[] = [];
  /** Where downloads go. */
  readonly downloads: string;
  readonly name: string;
  #protocol!: Protocol;
  readonly #folder = mkdtempSync(join(tmpdir(), "liveq-pages-"));
  #running: Running | undefined;

  private constructor(name: string) {
    this.name = name;
    this.downloads = join(this.#folder, "downloads");
    mkdirSync(this.downloads);
  }

  /** @throws Error where the browser does not start. */
  static async in(browser: Runtime): Promise<Tab> {
    const tab = new Tab(browser.name);
    try {
      await tab.#start(browser);
    } catch (error) {
      await tab.close();
      throw error;
    }
    return tab;
  }

  async #start(browser: Runtime): Promise<void> {
    const args = browserArguments(browser, this.#folder, "about:blank");
    if (browser.name === "firefox") appendFileSync(join(this.#folder, "user.js"), preferences(this.downloads));
    this.#running = start(browser, ["--remote-debugging-port=0", ...args], this.#folder);
    const { child, ended } = this.#running;
    const address = await Promise.race([
      new Promise<string>((resolve) => {
        let said = "";
        child.stderr!.on("data", (piece) => {
          const found = /(ws:\/\/\S+)\s/.exec((said += piece));
          if (found) resolve(found[1]!);
        });
      }),
      ended.then(() => Promise.reject(new Error(`${browser.name} ended`))),
    ]);
    const wrong = (text: string) => void this.errors.push(text);
    this.#protocol = await (browser.name === "firefox" ? bidi : devtools)(address as string, this.downloads, wrong);
  }

  /** Opens an address anew, even where it differs only behind "#". */
  async open(url: string): Promise<void> {
    await this.#protocol.open("about:blank");
    await this.#protocol.open(url);
  }

  reload(): Promise<void> {
    return this.evaluate<string>("location.href").then((url) => this.open(url));
  }

  /** The value of an expression in the page, or of the promise that it is; what JSON can say of it. */
  async evaluate<T>(expression: string): Promise<T> {
    const text = await this.#protocol.text(`(async () => JSON.stringify((await (${expression})) ?? null))()`);
    return JSON.parse(text) as T;
  }

  /** Waits until an expression is true. @throws Error where it stays false. */
  async until(expression: string, what: string = expression): Promise<void> {
    const loop = `(async () => {
      for (const end = Date.now() + ${PATIENCE_MS}; Date.now() < end; await sleep(15)) if (${expression}) return true;
      return document.querySelector("main")?.innerText.slice(0, 600);
    })()`;
    const answer = await this.evaluate<true | string>(loop);
    if (answer !== true) throw new Error(`not so within ${PATIENCE_MS / 1000} s: ${what}; the page: ${answer}`);
  }

  /** Clicks the first button whose text begins so, once it is there and can be pressed. */
  async click(text: string): Promise<void> {
    const found = `byText(${JSON.stringify(text)})`;
    await this.until(`${found} && !${found}.disabled`, `a button "${text}"`);
    await this.evaluate(`${found}.click()`);
  }

  size(width: number, height: number): Promise<void> {
    return this.#protocol.size(width, height);
  }

  picture(): Promise<Buffer> {
    return this.#protocol.picture();
  }

  choose(selector: string, file: string): Promise<void> {
    return this.#protocol.choose(selector, file);
  }

  async close(): Promise<void> {
    await this.#running?.stop("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function preferences(downloads: string): string {
  const values = {
    "browser.download.dir": downloads,
    "browser.download.folderList": 2,
    "browser.download.alwaysOpenPanel": false,
  };
  return Object.entries(values)
    .map(([key, value]) => `user_pref(${JSON.stringify(key)}, ${JSON.stringify(value)});\n`)
    .join("");
}

type Wrong = (text: string) => void;

async function devtools(address: string, downloads: string, wrong: Wrong): Promise<Protocol> {
  const tabs = (await (await fetch(`http://${new URL(address).host}/json`)).json()) as Record<string, string>[];
  let loaded: (() => void) | undefined;
  const wire = await Wire.to(tabs.find(({ type }) => type === "page")!["webSocketDebuggerUrl"]!, (method, params) => {
    const at = params as Record<string, Record<string, unknown>>;
    if (method === "Page.loadEventFired") loaded?.();
    else if (method === "Runtime.exceptionThrown") wrong(JSON.stringify(at["exceptionDetails"]));
    else if (method === "Runtime.consoleAPICalled" && params["type"] === "error") wrong(JSON.stringify(params["args"]));
    else if (method === "Log.entryAdded" && at["entry"]!["level"] === "error") wrong(JSON.stringify(at["entry"]));
  });
  for (const domain of ["Runtime", "Log", "Page", "DOM"]) await wire.send(`${domain}.enable`);
  await wire.send("Page.addScriptToEvaluateOnNewDocument", { source: BEFORE });
  // As on a phone, and as in pictures: the page has the whole width.
  await wire.send("Emulation.setScrollbarsHidden", { hidden: true });
  await wire.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: downloads });
  const evaluate = async (expression: string, returnByValue: boolean) => {
    type Answer = { result: { value: string; objectId: string }; exceptionDetails?: unknown };
    const options = { expression, awaitPromise: true, returnByValue };
    const { result, exceptionDetails } = await wire.send<Answer>("Runtime.evaluate", options);
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return result;
  };
  return {
    async open(url) {
      const done = new Promise<void>((resolve) => (loaded = resolve));
      await wire.send("Page.navigate", { url });
      await done;
    },
    text: async (expression) => (await evaluate(expression, true)).value,
    size: (width, height) =>
      wire.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false }),
    async picture() {
      const options = { format: "png", captureBeyondViewport: true };
      const { data } = await wire.send<{ data: string }>("Page.captureScreenshot", options);
      return Buffer.from(data, "base64");
    },
    async choose(selector, file) {
      const { objectId } = await evaluate(`document.querySelector(${JSON.stringify(selector)})`, false);
      await wire.send("DOM.setFileInputFiles", { files: [file], objectId });
    },
  };
}

async function bidi(address: string, _downloads: string, wrong: Wrong): Promise<Protocol> {
  const wire = await Wire.to(`${address}/session`, (method, params) => {
    if (method === "log.entryAdded" && params["level"] === "error") wrong(JSON.stringify(params));
  });
  await wire.send("session.new", { capabilities: {} });
  await wire.send("session.subscribe", { events: ["log.entryAdded"] });
  await wire.send("script.addPreloadScript", { functionDeclaration: `() => {${BEFORE}}` });
  const { contexts } = await wire.send<{ contexts: { context: string }[] }>("browsingContext.getTree");
  const { context } = contexts[0]!;
  const evaluate = async (expression: string) => {
    type Answer = { type: string; result: { value: string; sharedId: string }; exceptionDetails?: unknown };
    const options = { expression, target: { context }, awaitPromise: true };
    const { result, exceptionDetails } = await wire.send<Answer>("script.evaluate", options);
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails).slice(0, 1000));
    return result;
  };
  return {
    open: (url) => wire.send("browsingContext.navigate", { context, url, wait: "complete" }),
    text: async (expression) => (await evaluate(expression)).value,
    size: (width, height) => wire.send("browsingContext.setViewport", { context, viewport: { width, height } }),
    async picture() {
      const options = { context, origin: "document" };
      return Buffer.from(
        (await wire.send<{ data: string }>("browsingContext.captureScreenshot", options)).data,
        "base64",
      );
    },
    async choose(selector, file) {
      const { sharedId } = await evaluate(`document.querySelector(${JSON.stringify(selector)})`);
      await wire.send("input.setFiles", { context, element: { sharedId }, files: [file] });
    },
  };
}
