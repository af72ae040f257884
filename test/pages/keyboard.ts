/** What somebody does who has no mouse. */
import type { Tab } from "./browser/tab.js";
import { require } from "./views.js";

/** Most stops on the way to an element. */
const STOPS = 60;

/** Goes from the top of the page to an element, with the key for it. @returns The number of stops. */
async function reach(tab: Tab, element: string): Promise<number> {
  const names: string[] = [];
  for (let stop = 1; stop <= STOPS; stop++) {
    await tab.press("Tab");
    if (await tab.evaluate<boolean>(`document.activeElement === ${element}`)) return stop;
    names.push(await tab.evaluate<string>("document.activeElement.textContent.slice(0, 20)"));
  }
  throw new Error(`the keyboard does not reach ${element}, but ${names.join(", ")}`);
}

/** A training is begun and paused, and the focus is seen. */
export async function checkKeyboard(tab: Tab, url: string): Promise<string> {
  await tab.open(`${url}/#control`);
  await tab.until(`byText("Start")`);
  const stops = await reach(tab, `byText("Start")`);
  // Firefox without a screen is never in front: it shows no focus there, and buttons take no key.
  if (!(await tab.evaluate<boolean>("document.hasFocus()")))
    return `Start reached after ${stops} stops of the keyboard`;
  const outline = await tab.evaluate<string>("getComputedStyle(document.activeElement).outlineStyle");
  require(outline === "solid", "the focus is seen", outline);
  await tab.press("Enter");
  await tab.until(`figure("State") === "learning"`, "begun by the keyboard");
  await tab.press("Enter");
  await tab.until(`figure("State") === "paused"`, "paused by the keyboard");
  await tab.click("Reset");
  return `begun and paused after ${stops} stops of the keyboard`;
}

const COLOURS = `document.querySelector('select[aria-label="Colours"]')`;
const theme = "document.documentElement.dataset.theme";

/** Colours are chosen by the keyboard, and stay at later visits and on other pages. */
export async function checkColours(tab: Tab, page: string, others: readonly string[]): Promise<void> {
  await tab.open(page);
  await tab.until(COLOURS);
  await tab.evaluate(`put(${COLOURS}, "system")`);
  await tab.open(page);
  await tab.until(`${COLOURS} && ${theme} === undefined`, "the system's colours");
  await reach(tab, COLOURS);
  await tab.press("ArrowDown");
  await tab.until(`${theme} === "light"`);
  await tab.press("ArrowDown");
  await tab.until(`${theme} === "dark"`);
  for (const other of [page, ...others]) {
    await tab.open(other);
    await tab.until(
      `${COLOURS}?.value === "dark" && ${theme} === "dark"`,
      `the colours of an earlier visit at ${other}`,
    );
  }
  await tab.evaluate(`put(${COLOURS}, "system")`);
  await tab.until(`${theme} === undefined`);
}
