import { expect, test } from "vitest";
import { prefersUnrolled } from "../../src/engine/instance/host.js";

const chrome = (version: string) =>
  `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/${version} Safari/537.36`;

test.each<[string, Parameters<typeof prefersUnrolled>[0], boolean]>([
  ["Node 20", { process: { versions: { v8: "11.3.244.8-node.33" } }, navigator: {} }, false],
  ["Node 22", { process: { versions: { v8: "12.4.254.21-node.33" } }, navigator: { userAgent: "Node.js/22" } }, false],
  ["Node 24", { process: { versions: { v8: "13.6.233.10-node.28" } }, navigator: { userAgent: "Node.js/24" } }, true],
  ["Chrome 129", { navigator: { userAgent: chrome("129.0.0.0") } }, false],
  ["Chrome 130", { navigator: { userAgent: chrome("130.0.0.0") } }, true],
  [
    "Firefox",
    { navigator: { userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0" } },
    true,
  ],
  ["workerd", { navigator: { userAgent: "Cloudflare-Workers" } }, true],
  ["an engine that tells nothing", {}, true],
])("unrolled kernels: %s", (_, host, prefers) => {
  expect(prefersUnrolled(host)).toBe(prefers);
});
