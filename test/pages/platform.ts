/** The live platform, with a reader who watches one category. */
import type { Tab } from "./browser/tab.js";
import { inspect, type Pictures, require } from "./views.js";

/** Slates before the first click: what the reader is shown as a stranger. */
const FIRST = 5;
const CLICKS = 30;
/** By how much more often the category must be shown. */
const MORE = 1.5;
/** Worlds that are tried, each with another category: what is on air decides what can be shown. */
const WORLDS = 3;

/** Chooses the category with the given rank among the first slates, and watches nothing else. */
const VISIT = `async (rank) => {
  const next = async (press) => {
    const before = slates.length;
    press.click();
    while (slates.length === before) await sleep(2);
    await sleep(0);
    return slates.at(-1);
  };
  let slate = await next(byText("Show me streams"));
  const first = [];
  for (let i = 0; i < ${FIRST}; i++) {
    first.push(...slate);
    slate = await next(byText("Nothing for me"));
  }
  const counts = {};
  for (const category of first) counts[category] = (counts[category] ?? 0) + 1;
  const ordered = Object.keys(counts).sort((a, b) => counts[b] - counts[a]);
  const category = ordered[Math.min(rank, ordered.length - 1)];
  const shown = [];
  for (let clicks = 0, looks = 0; clicks < ${CLICKS} && looks < 200; looks++) {
    const card = document.querySelector('li[data-category="' + category + '"] .watch');
    if (card === null) {
      slate = await next(byText("Nothing for me"));
    } else {
      slate = await next(card);
      if (++clicks <= ${CLICKS}) shown.push(...slate);
    }
  }
  const share = (list) => list.filter((one) => one === category).length / list.length;
  return { category, before: share(first), after: share(shown), slates: shown.length / 6 };
}`;

interface Visit {
  category: string;
  before: number;
  after: number;
}

/** Who watches one category alone is shown more of it within 30 clicks than as a stranger. */
export async function checkPlatform(tab: Tab, url: string, pictures: Pictures): Promise<string> {
  const visits: Visit[] = [];
  for (let world = 1; world <= WORLDS; world++) {
    await tab.open(`${url}/#platform`);
    await tab.until(`/day (0\\.[5-9]|[1-9])/.test(document.querySelector("main")?.innerText)`, "half a day passes");
    await tab.click("Pause");
    const visit = await tab.evaluate<Visit>(`(${VISIT})(${world})`);
    visits.push(visit);
    if (visit.after >= MORE * visit.before) break;
  }
  const { category, before, after } = visits.at(-1)!;
  require(after >= MORE * before, "the reader is not learned", visits);
  require(await tab.evaluate(`/Watched most: ${category}/.test(document.body.innerText)`), "the tastes", category);
  await inspect(tab, "platform", pictures);
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  return `${category} from ${percent(before)} of slates to ${percent(after)} in ${CLICKS} clicks`;
}
