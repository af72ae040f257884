/** What the browsers' protocols do, each in its own way. */
import type { Running } from "../../runtimes/execute.js";
import type { Runtime } from "../../runtimes/install.js";

/** Runs in each document before its own scripts: breaches of the policy become errors, and slates are counted. */
export const BEFORE = `
addEventListener("securitypolicyviolation", (event) =>
  console.error("policy: " + event.violatedDirective + " " + event.blockedURI + " " + event.sourceFile + ":" + event.lineNumber));
new MutationObserver((_, observer) => {
  if (!document.querySelector("#app button.first:enabled")) return;
  globalThis.readyMs = performance.now();
  observer.disconnect();
}).observe(document, { subtree: true, childList: true });
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

/** Keys, by their names: what WebDriver calls them, and what Chromium wants to know. */
export const KEYS = {
  Tab: { value: "\uE004", windowsVirtualKeyCode: 9 },
  Enter: { value: "\uE006", windowsVirtualKeyCode: 13, text: "\r" },
  ArrowDown: { value: "\uE015", windowsVirtualKeyCode: 40 },
} as const;
export type Key = keyof typeof KEYS;

export interface Protocol {
  open(url: string): Promise<void>;
  /** The value of an expression that is a text, or a promise of one. */
  text(expression: string): Promise<string>;
  /** CSS pixels. */
  size(width: number, height: number): Promise<void>;
  /** PNG of the whole page. */
  picture(): Promise<Buffer>;
  /** Where a server is for this browser. Default: where it is. */
  behind?(url: string): Promise<string>;
  /** Gives a file to an input. */
  choose(selector: string, file: string): Promise<void>;
  press(key: Key): Promise<void>;
  /**
   * Milliseconds that each task of the page's thread had a core while something is done: what waits for one on a busy
   * machine does not block by itself.
   */
  tasks?(during: () => Promise<void>): Promise<number[]>;
}

export interface LaunchOptions {
  /** For its profile. */
  readonly folder: string;
  /** Where downloads go. */
  readonly downloads: string;
  /** Gets the browser, which it ends. */
  readonly began: (running: Running) => void;
  /** Gets what the console or the policy said was wrong. */
  readonly wrong: (text: string) => void;
}

/** Starts a browser. @throws Error where it does not start. */
export type Launch = (browser: Runtime, options: LaunchOptions) => Promise<Protocol>;

/** The address of its protocol that a browser tells on its way. */
export function addressOf({ child, ended }: Running, name: string): Promise<string> {
  const told = new Promise<string>((resolve) => {
    let said = "";
    child.stderr!.on("data", (piece) => {
      const found = /(ws:\/\/\S+)\s/.exec((said += piece));
      if (found) resolve(found[1]!);
    });
  });
  return Promise.race([told, ended.then(() => Promise.reject(new Error(`${name} ended`)))]);
}
