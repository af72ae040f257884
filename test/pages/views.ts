/** What holds of every view: nothing for axe to find in either theme, and nothing that is wider than a phone. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decoded, reduced } from "./picture.js";
import type { Tab } from "./tab.js";

/** CSS pixels. */
const WIDE = [1280, 900] as const;
const PHONE = [390, 844] as const;
const THEMES = ["light", "dark"];
const AXE = readFileSync("node_modules/axe-core/axe.min.js", "utf8");

export function require(isTrue: boolean, what: string, got: unknown): void {
  if (!isTrue) throw new Error(`${what}: ${JSON.stringify(got)}`);
}

/** Chooses the colours. */
async function paint(tab: Tab, theme: string): Promise<void> {
  await tab.evaluate(`put(document.querySelector('select[aria-label="Colours"]'), ${JSON.stringify(theme)})`);
  await tab.until(`document.documentElement.dataset.theme === ${JSON.stringify(theme)}`);
  // Colours fade into each other.
  await tab.evaluate("sleep(200)");
}

export const widen = (tab: Tab) => tab.size(...WIDE);

/**
 * Looks at the view that is open.
 *
 * @param pictures - The folder that gets its pictures; undefined for none.
 * @throws Error for what axe finds, and for what is wider than the screen.
 */
export async function inspect(tab: Tab, view: string, pictures: string | undefined): Promise<void> {
  for (const [width, height] of [PHONE, WIDE]) {
    await tab.size(width, height);
    await fits(tab, `${view} at ${width}`);
    for (const theme of THEMES) {
      await paint(tab, theme);
      await axe(tab, `${view}, ${theme}, ${width}`);
      if (pictures === undefined) continue;
      mkdirSync(pictures, { recursive: true });
      const file = join(pictures, `${tab.name}-${view}-${theme}-${width}.png`);
      writeFileSync(file, reduced(decoded(await tab.picture())));
    }
  }
}

/** Charts follow a new width a little later. @throws Error with what is wider than the screen and stays so. */
async function fits(tab: Tab, where: string): Promise<void> {
  const wide = await tab.evaluate<string[]>(`(async () => {
    const root = document.documentElement;
    for (let i = 0; i < 200 && root.scrollWidth > root.clientWidth; i++) await sleep(25);
    if (root.scrollWidth <= root.clientWidth) return [];
    return ["the page", ...document.querySelectorAll("body *")]
      .filter((one) => !(one.getBoundingClientRect?.().right <= root.clientWidth))
      .map((one) => (one.tagName ?? one) + "." + one.className);
  })()`);
  require(wide.length === 0, `wider than the screen: ${where}`, wide);
}

async function axe(tab: Tab, where: string): Promise<void> {
  await tab.evaluate(`typeof axe === "undefined" ? (0, () => { ${AXE}; })() : 0`);
  const found = await tab.evaluate<unknown[]>(`axe.run(document).then(({ violations }) =>
    violations.map(({ id, nodes }) => [id, nodes.slice(0, 3).map(({ html, any }) => [html.slice(0, 200), any[0]?.message])]))`);
  require(found.length === 0, `axe in ${where}`, found);
}
