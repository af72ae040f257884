/** The search of the site: an index of its chapters, and the page that asks it. No server, no other host. */
import { escaped } from "../html.mjs";
import { page, SEARCH } from "./template.mjs";

/** Words of fewer letters find nothing. */
const LETTERS = 2;
/** Most words of a chapter: long tables say little. */
const WORDS = 400;

const decoded = (text) =>
  text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code)).replace(/&(lt|gt|amp|quot);/g, " ");

/** Words of a text, each once. */
function wordsOf(text) {
  const found = text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
  return [...new Set(found)].filter(({ length }) => length >= LETTERS && length <= 30).slice(0, WORDS);
}

/** The chapters of a page: anchor, title and words. */
function chaptersOf(html, title) {
  const main = html.slice(html.indexOf("<main"), html.indexOf("</main>"));
  const parts = main.split(/(?=<h[1-3] id=")/);
  return parts.flatMap((part) => {
    const [, id, heading] = /^<h[1-3] id="([^"]*)">(.*?)<\/h[1-3]>/s.exec(part) ?? [];
    if (id === undefined) return [];
    const bare = decoded(part.replace(/<[^>]*>/g, " "));
    const name = decoded(heading.replace(/<[^>]*>/g, "")).trim();
    return [{ id, name: name === title ? title : `${title}: ${name}`, words: wordsOf(bare) }];
  });
}

/** Chapters of all pages, as `[address, title]`, and by word those in which it stands. */
export function indexOf(pages) {
  const chapters = [];
  const words = new Map();
  for (const { place, title, html } of pages) {
    for (const { id, name, words: own } of chaptersOf(html, title)) {
      for (const word of own) words.set(word, [...(words.get(word) ?? []), chapters.length]);
      chapters.push([`${place}#${id}`, name]);
    }
  }
  return { chapters, words: Object.fromEntries([...words].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Runs in the page: chapters that have all words, those that begin like the last one too, the best first. */
const PROGRAM = `(({ chapters, words }) => {
  const asked = (new URLSearchParams(location.search).get("q") ?? "").toLowerCase();
  const wanted = [...new Set(asked.match(/[\\p{L}\\p{N}_]+/gu) ?? [])];
  const inTitle = (i, word) => chapters[i][1].toLowerCase().includes(word);
  const having = (word) => new Set(Object.keys(words).filter((one) => one.startsWith(word)).flatMap((one) => words[one]));
  const sets = wanted.map(having);
  const found = sets.length === 0 ? [] : [...sets[0]].filter((i) => sets.every((one) => one.has(i)));
  const named = (i) => chapters[i][1].toLowerCase() === asked.trim();
  const weight = (i) => wanted.filter((word) => inTitle(i, word)).length + (named(i) ? 1 : 0);
  found.sort((a, b) => weight(b) - weight(a) || a - b);
  document.querySelector("input[name=q]").value = asked;
  document.querySelector("#found").textContent =
    wanted.length === 0 ? "Type words into the field above." : found.length + " chapters have " + wanted.join(", ");
  document.querySelector("#chapters").append(...found.slice(0, 60).map((i) => {
    const [item, link] = [document.createElement("li"), document.createElement("a")];
    [link.href, link.textContent] = chapters[i];
    item.append(link);
    return item;
  }));
})`;

/** The page of the search and its script, by their places. */
export function searchOf(pages, all) {
  const document = { place: SEARCH.place, title: "Search" };
  const html = `<h1>Search</h1>\n<p id="found" role="status">${escaped("The search needs scripts.")}</p>\n<ul id="chapters"></ul>\n`;
  return new Map([
    [SEARCH.place, page(document, { html, headings: [] }, all, SEARCH.script)],
    [SEARCH.script, `${PROGRAM}(${JSON.stringify(indexOf(pages))});\n`],
  ]);
}
