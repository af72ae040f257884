import type { ExplainedFacts, Explanation } from "../../protocol/index.js";

/** Groups named as reasons, at most. */
const REASONS = 3;
const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

type Phrase = (facts: ExplainedFacts) => string;

const count = (n: number, word: string) => `${Math.round(n)} ${word}${Math.round(n) === 1 ? "" : "s"}`;

/** What each group of features knows, in words. */
const PHRASES: Readonly<Record<string, Phrase>> = {
  clock: () => "the time of day",
  audience: ({ onAirMs, viewers }) =>
    `it has been on air for ${count(onAirMs / 60_000, "minute")}${viewers > 0 ? ` and has ${count(viewers, "viewer")}` : ""}`,
  habits: ({ category }) => `how much you watch ${category || "streams like this"}`,
  session: () => "your session so far",
  pair: ({ visits }) =>
    visits > 0 ? `you have watched this streamer ${count(visits, "time")}` : "you have not watched this streamer yet",
  returns: () => "how soon viewers come back after this streamer",
  social: ({ follows, friends }) =>
    friends > 0
      ? `${friends === 1 ? "a friend of yours watches" : `${friends} friends of yours watch`} this streamer`
      : follows
        ? "you follow this streamer"
        : "what your friends watch and follow",
  moments: () => "what viewers do in it right now",
  content: () => "how like it is to what you have watched",
  taste: () => "viewers with your taste",
  vectors: () => "viewers with your taste",
  neighbours: () => "the streamers that you like",
  traits: () => "your age, region and language",
  pages: () => "the pages and ratings of yours",
};

const ordinal = (place: number) => ORDINALS[place] ?? `at place ${place + 1}`;

/** A number of two digits or more; 0 has no sign. */
function figure(x: number): string {
  const size = Math.abs(x);
  const text = size.toFixed(size < 0.0995 ? 3 : size < 9.95 ? 2 : size < 99.5 ? 1 : 0);
  return x < 0 && Number(text) !== 0 ? `-${text}` : text;
}

/** Sizes below half of it are not named. */
const SMALLEST = 0.001;
const margin = (x: number) => (x < SMALLEST / 2 ? `less than ${SMALLEST}` : figure(x));
const signed = (x: number) => (figure(x).startsWith("-") ? figure(x) : `+${figure(x)}`);

function reasons({ groups, facts }: Explanation): string {
  const named = groups.slice(0, REASONS).filter(({ score }) => Math.abs(score) >= SMALLEST / 2);
  return named
    .map(({ group, score }) => `${PHRASES[group]?.(facts) ?? `the features "${group}"`} (${signed(score)})`)
    .join(", ");
}

function valueLine({ value, choice, slateValue, advantage }: Explanation): string {
  let line = `value ${figure(value.total)}`;
  if (value.immediate !== undefined && value.return !== undefined) {
    const sign = figure(value.return).startsWith("-") ? "-" : "+";
    line += ` = ${figure(value.immediate)} now ${sign} ${figure(Math.abs(value.return))} for coming back later`;
  }
  if (slateValue !== undefined && advantage !== undefined) {
    line += `, ${figure(Math.abs(advantage))} ${advantage < 0 ? "below" : "above"} that of the request, ${figure(slateValue)}`;
  }
  return choice === undefined ? line : `${line}; entered from this slate with ${figure(choice.chance * 100)} %`;
}

function changeLine({ margins, groups, decisive }: Explanation): string {
  const { up, out, next } = margins;
  const parts: string[] = [];
  if (up !== undefined && up >= 0) parts.push(`a score ${margin(up)} higher moves it up`);
  if (out !== undefined && next !== undefined) {
    parts.push(
      out >= 0
        ? `a score ${margin(out)} lower lets ${next} take its place`
        : `${next} has a score ${margin(-out)} higher and would take its place by score`,
    );
  }
  const rank = groups.find(({ group }) => group === decisive)?.rank;
  if (rank !== undefined) parts.push(`without "${decisive}" it would be ${ordinal(rank)} by score`);
  return parts.join("; ");
}

/**
 * Says an explanation in plain English, for pages and terminals: why the stream is shown, its value, and what would
 * change its place; the last line is missing where nothing would. Imports nothing else of the package.
 *
 * ```ts
 * const { explanations } = recommender.recommend({ user: "u1", now: 1000, k: 6, explain: true });
 * for (const explanation of explanations!) console.log(explanationLines(explanation).join("\n"));
 * ```
 */
export function explanationLines(explanation: Explanation): string[] {
  const { position, explored, propensity, basis } = explanation;
  const place = `shown ${ordinal(position)}`;
  const how = explored ? `${place} to explore, with ${figure(propensity * 100)} %` : place;
  const why =
    basis === "viewers"
      ? `by its ${count(explanation.facts.viewers, "viewer")}, as little has been learned yet`
      : reasons(explanation) || "no group of features speaks for or against it";
  const change = changeLine(explanation);
  return [`${how}: ${why}`, valueLine(explanation), ...(change === "" ? [] : [change])];
}
