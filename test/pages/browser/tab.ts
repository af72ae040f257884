/** One tab of a real browser that is led from here. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Running } from "../../runtimes/execute.js";
import type { Runtime } from "../../runtimes/install.js";
import { bidi } from "./bidi.js";
import { devtools } from "./devtools.js";
import type { Key, Launch, Protocol } from "./protocol.js";
import { webdriver } from "./webdriver.js";

/** So long that only what hangs takes it, on any machine. */
const PATIENCE_MS = 120_000;

/** A browser that has not started by then may hang, as WebKitGTK does at times. */
const HANGS_MS = 60_000;
const STARTS = 3;

const LAUNCHES: Readonly<Record<string, Launch>> = { chromium: devtools, firefox: bidi, webkit: webdriver };

function late({ name }: Runtime): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`${name} did not start within ${HANGS_MS / 1000} s`)), HANGS_MS).unref();
  });
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

  /** Starts a browser, again where it hangs. @throws Error where it does not start. */
  static async in(browser: Runtime): Promise<Tab> {
    for (let started = 1; ; started++) {
      const tab = new Tab(browser.name);
      try {
        await Promise.race([tab.#start(browser), late(browser)]);
        return tab;
      } catch (error) {
        await tab.close();
        if (started === STARTS) throw error;
        process.stderr.write(`${browser.name}: ${(error as Error).message}; started again\n`);
      }
    }
  }

  async #start(browser: Runtime): Promise<void> {
    this.#protocol = await LAUNCHES[browser.name]!(browser, {
      ...{ folder: this.#folder, downloads: this.downloads },
      began: (running) => (this.#running = running),
      wrong: (text) => void this.errors.push(text),
    });
  }

  /** Where the server at an address is for this browser. */
  async behind(url: string): Promise<string> {
    return (await this.#protocol.behind?.(url)) ?? url;
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

  press(key: Key): Promise<void> {
    return this.#protocol.press(key);
  }

  /** Milliseconds of the page's tasks while something is done; undefined where the browser does not tell them. */
  async tasks(during: () => Promise<void>): Promise<number[] | undefined> {
    if (this.#protocol.tasks !== undefined) return this.#protocol.tasks(during);
    await during();
    return undefined;
  }

  async close(): Promise<void> {
    await this.#running?.stop("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
