/** Firefox, by WebDriver BiDi. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { browserArguments, start } from "../../runtimes/execute.js";
import { addressOf, BEFORE, KEYS, type Launch } from "./protocol.js";
import { Wire } from "./socket.js";

export const bidi: Launch = async (browser, { folder, downloads, began, wrong }) => {
  const args = browserArguments(browser, folder, "about:blank");
  appendFileSync(join(folder, "user.js"), preferences(downloads));
  const running = start(browser, ["--remote-debugging-port=0", ...args], folder);
  began(running);
  const wire = await Wire.to(`${await addressOf(running, browser.name)}/session`, (method, params) => {
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
      const { data } = await wire.send<{ data: string }>("browsingContext.captureScreenshot", options);
      return Buffer.from(data, "base64");
    },
    async choose(selector, file) {
      const { sharedId } = await evaluate(`document.querySelector(${JSON.stringify(selector)})`);
      await wire.send("input.setFiles", { context, element: { sharedId }, files: [file] });
    },
    async press(key) {
      const { value } = KEYS[key];
      const strokes = ["keyDown", "keyUp"].map((type) => ({ type, value }));
      await wire.send("input.performActions", { context, actions: [{ type: "key", id: "keys", actions: strokes }] });
    },
  };
};

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
