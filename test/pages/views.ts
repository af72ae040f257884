/** What holds of every view: nothing for axe to find in either theme, and nothing that is wider than a phone. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Tab } from "./browser/tab.js";
import { cropped, decoded, difference, reduced } from "./picture.js";

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

type Room = "playground" | "dashboard" | "site";

/** Pictures that are committed, by room: the views, colours and widths that they are of, and how many of their rows. */
const COMMITTED: Readonly<Record<Room, Readonly<Record<string, readonly [file: string, rows: number]>>>> = {
  playground: {
    "control-light-1280": ["control.png", 830],
    "platform-dark-1280": ["platform.png", 820],
    "bits-light-1280": ["bits.png", 600],
    "control-dark-390": ["phone.png", 1000],
    "platform-light-390": ["platform-phone.png", 1000],
    "bits-dark-390": ["bits-phone.png", 1000],
  },
  dashboard: {
    "now-light-1280": ["now.png", 1400],
    "now-dark-390": ["now-phone.png", 1000],
    "viewer-dark-1280": ["viewer.png", 700],
    "viewer-light-390": ["viewer-phone.png", 1000],
    "models-light-1280": ["models.png", 700],
    "models-dark-390": ["models-phone.png", 1000],
    "operation-dark-1280": ["operation.png", 900],
    "operation-light-390": ["operation-phone.png", 1000],
    "tail-light-1280": ["tail.png", 500],
    "tail-dark-390": ["tail-phone.png", 600],
  },
  site: {},
};
/** The share of a picture that may differ: carts move, and other machines have other letters. */
const DIFFERENCE = 0.15;

/** What becomes of the pictures of the views. */
export interface Pictures {
  /** The folder that gets them all. */
  readonly folder?: string | undefined;
  /** Whose views they are of. Default: the playground's. */
  readonly room?: Room;
  /** The committed ones are made anew. */
  readonly isUpdate: boolean;
}

export const widen = (tab: Tab) => tab.size(...WIDE);

/**
 * Looks at the view that is open.
 *
 * @throws Error for what axe finds, for what is wider than the screen, and for a view that is not as pictured.
 */
export async function inspect(tab: Tab, view: string, pictures: Pictures): Promise<void> {
  for (const [width, height] of [PHONE, WIDE]) {
    await tab.size(width, height);
    await fits(tab, `${view} at ${width}`);
    for (const theme of THEMES) {
      await paint(tab, theme);
      await axe(tab, `${view}, ${theme}, ${width}`);
      await compare(tab, `${view}-${theme}-${width}`, pictures);
    }
  }
}

/** Compares a view with its committed picture, if there is one: in Chromium, by which they are made. */
async function compare(tab: Tab, name: string, { folder, isUpdate, room = "playground" }: Pictures): Promise<void> {
  const [file, rows] = (tab.name === "chromium" && COMMITTED[room][name]) || [];
  if (folder === undefined && file === undefined) return;
  const picture = decoded(await tab.picture());
  if (folder !== undefined) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${tab.name}-${name}.png`), reduced(picture));
  }
  if (file === undefined) return;
  const committed = join("src", room, file);
  if (isUpdate) writeFileSync(committed, reduced(cropped(picture, rows!)));
  const differs = difference(picture, decoded(readFileSync(committed)));
  require(differs <= DIFFERENCE, `${name} is not as in ${committed}: the share that differs`, differs);
}

/** Works without the internet. @throws Error with what is loaded from another host. */
export async function requireOwnHost(tab: Tab, url: string): Promise<void> {
  const loaded = await tab.evaluate<string[]>(`performance.getEntriesByType("resource").map(({ name }) => name)`);
  const others = loaded.filter((name) => !name.startsWith(`${url}/`));
  require(loaded.length > 0 && others.length === 0, "loaded from another host", others);
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
