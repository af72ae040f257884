/** Chromium, by its own protocol. */
import { browserArguments, start } from "../../runtimes/execute.js";
import { addressOf, BEFORE, KEYS, type Launch } from "./protocol.js";
import { Wire } from "./socket.js";

/** An event of a trace: `tdur` is the time on a core, microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** Milliseconds of each task of the threads that pages have. */
function tasksOf(trace: readonly TraceEvent[]): number[] {
  const whose = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  const isPage = ({ name, args }: TraceEvent) => name === "thread_name" && args.name === "CrRendererMain";
  const pages = new Set(trace.filter(isPage).map(whose));
  const tasks = trace.filter((event) => event.name === "ThreadControllerImpl::RunTask" && pages.has(whose(event)));
  return tasks.flatMap(({ tdur }) => (tdur === undefined ? [] : [tdur / 1000]));
}

export const devtools: Launch = async (browser, { folder, downloads, began, wrong }) => {
  const args = browserArguments(browser, folder, "about:blank");
  const running = start(browser, ["--remote-debugging-port=0", ...args], folder);
  began(running);
  const address = await addressOf(running, browser.name);
  const tabs = (await (await fetch(`http://${new URL(address).host}/json`)).json()) as Record<string, string>[];
  let loaded: (() => void) | undefined;
  let traced: (() => void) | undefined;
  const trace: TraceEvent[] = [];
  const wire = await Wire.to(tabs.find(({ type }) => type === "page")!["webSocketDebuggerUrl"]!, (method, params) => {
    const at = params as Record<string, Record<string, unknown>>;
    if (method === "Page.loadEventFired") loaded?.();
    else if (method === "Tracing.dataCollected") trace.push(...(params["value"] as TraceEvent[]));
    else if (method === "Tracing.tracingComplete") traced?.();
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
    async press(key) {
      const { value: _, ...rest } = KEYS[key];
      await wire.send("Input.dispatchKeyEvent", { type: "keyDown", key, code: key, ...rest });
      await wire.send("Input.dispatchKeyEvent", { type: "keyUp", key, code: key, ...rest });
    },
    async tasks(during) {
      const traceConfig = { includedCategories: ["toplevel"], excludedCategories: ["*"] };
      await wire.send("Tracing.start", { transferMode: "ReportEvents", traceConfig });
      await during();
      const complete = new Promise<void>((resolve) => (traced = resolve));
      await wire.send("Tracing.end");
      await complete;
      return tasksOf(trace.splice(0));
    },
  };
};
