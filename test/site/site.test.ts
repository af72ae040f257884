import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { runtime } from "../runtimes/install.js";
import { temporaryFolder } from "../support/folder.js";
import { axe } from "./axe.js";

const { at } = temporaryFolder();
const [SITE, AGAIN, BROKEN] = [at("site"), at("again"), at("broken")];
const links = (await import(pathToFileURL("src/site/links.mjs").href)) as {
  deadLinks(folder: string): string[];
  filesIn(folder: string): string[];
};
const read = (page: string) => readFileSync(`${SITE}/${page}`, "utf8");
/** The name in a heading of the reference, which may have "abstract" before it, and parameters behind. */
const nameIn = (title: string) => /(\w+)(?:\(\)|&lt;.*)?$/.exec(title.replace(/<[^>]*>/g, "").trim())?.[1];
/** Pages of the site itself. */
const pages = () => links.filesIn(SITE).filter((file) => file.endsWith(".html") && !file.startsWith("playground/"));

beforeAll(async () => {
  const build = (folder: string) => promisify(execFile)(process.execPath, ["src/site.mjs", folder]);
  // A dead link ends it with exit code 1.
  await Promise.all([build(SITE), build(AGAIN)]);
});

test("a page for every README of a room, and a reference for every door", () => {
  const rooms = readdirSync("src").filter((room) => existsSync(`src/${room}/README.md`));
  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  const doors = Object.keys(exports).filter((name) => exports[name].types !== undefined);
  const references = doors.map((name) => `reference/${name === "." ? "liveq" : name.slice(2)}.html`);
  const others = ["index.html", "search.html", "measured.html", "tests.html", "changes.html"];
  expect(pages()).toEqual(
    expect.arrayContaining([...rooms.map((room) => `guides/${room}.html`), ...references, ...others]),
  );
  expect(links.filesIn(SITE)).toContain("playground/index.html");
});

test("the reference has every name of every door", () => {
  for (const page of pages().filter((file) => file.startsWith("reference/"))) {
    const list = readFileSync(`test/doors/${page.slice("reference/".length, -".html".length)}.txt`, "utf8");
    const [exported] = list.split("\n# Mentioned");
    const headings = [...read(page).matchAll(/<h3 id="[^"]*">(.*)<\/h3>/g)].map(([, title]) => nameIn(title!));
    const names = [...exported!.matchAll(/^## (\S+)/gm)].map(([, name]) => name!);
    expect(headings, page).toEqual(expect.arrayContaining(names));
  }
});

test("the same sources give the same bytes", () => {
  const digests = (folder: string) =>
    links.filesIn(folder).map(
      (file) =>
        `${file} ${createHash("sha256")
          .update(readFileSync(`${folder}/${file}`))
          .digest("hex")}`,
    );
  expect(digests(AGAIN)).toEqual(digests(SITE));
});

test("scripts are files, one for the colours and one for the search; nothing is inline, or from another host", () => {
  const search = ['<script defer src="search.js">'];
  for (const page of pages()) {
    const html = read(page);
    expect(html, page).toContain("default-src 'none'");
    const scripts = html.match(/<script[^>]*>/g)!;
    expect(scripts[0], page).toMatch(/^<script src="(?:\.\.\/)*theme\.js">$/);
    expect(scripts.slice(1), page).toEqual(page === "search.html" ? search : []);
    expect(html, page).not.toMatch(/<style|<iframe|<[^>]* (?:style|on\w+)=|<script[^>]*>(?!<\/script>)/);
    const loaded = [...html.matchAll(/<(?:link|img|source)[^>]* (?:href|src)="(?!data:,)([^"]*)"/g)].map(
      ([, url]) => url!,
    );
    expect(loaded[0], page).toMatch(/^(?:\.\.\/)*style\.css$/);
    expect(loaded.filter((url) => !/^(?:\.\.\/)*(?:style\.css$|pictures\/)/.test(url))).toEqual([]);
  }
});

test("every generated table of figures has charts, with the figures of the table", () => {
  const [charts, tables] = [/<figure class="bars">/g, /<summary>Table<\/summary>/g].map(
    (sign) => read("measured.html").match(sign)!,
  );
  const marks = readFileSync("bench/README.md", "utf8").match(/^<!-- bench: /gm)!;
  expect(tables!.length).toBeGreaterThanOrEqual(marks.length - 2);
  expect(charts!.length).toBeGreaterThan(tables!.length);
  const row = /^\| most popular \| ([^|]*) \|/m.exec(readFileSync("bench/README.md", "utf8"))![1]!;
  expect(read("measured.html")).toContain(`<span>${row}</span></li>`);
});

test("the search finds chapters by all words and by beginnings, those with the words in their titles first", () => {
  const found = (query: string) => {
    const items: { href: string; text: string }[] = [];
    const element = () => ({ value: "", textContent: "", append: () => {} });
    const list = {
      append: (...all: { link: { href: string; textContent: string } }[]) => {
        for (const { link } of all) items.push({ href: link.href, text: link.textContent });
      },
    };
    const document = {
      querySelector: (selector: string) => (selector === "#chapters" ? list : element()),
      createElement: () => ({
        append(link: object) {
          Object.assign(this, { link });
        },
      }),
    };
    new Function("document", "location", readFileSync(`${SITE}/search.js`, "utf8"))(document, {
      search: `?q=${query}`,
    });
    return items;
  };
  const [first] = found("playground");
  expect(first!.href).toMatch(/^guides\/playground\.html#/);
  expect(found("safetens").map(({ href }) => href)).toContain(
    "guides/exchange.html#exchange-with-other-tools-liveqexchange",
  );
  expect(found("safetensors+unheardofword")).toEqual([]);
  expect(found("")).toEqual([]);
  const ids = (page: string) => [...read(page).matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  for (const { href } of found("a")) {
    const [page, id] = href.split("#");
    expect(ids(page!)).toContain(id);
  }
  expect(readFileSync(`${SITE}/search.js`).length).toBeLessThan(500_000);
});

test("the script of the colours is small, and is the playground's choice", () => {
  const script = readFileSync(`${SITE}/theme.js`, "utf8");
  expect(script.length).toBeLessThan(2000);
  expect(script).toContain('"liveq.theme"');
  const shared = links.filesIn(`${SITE}/playground`).filter((file) => file.endsWith(".js"));
  const texts = shared.map((file) => readFileSync(`${SITE}/playground/${file}`, "utf8"));
  expect(texts.some((text) => text.includes('"liveq.theme"'))).toBe(true);
});

test("the check finds files and anchors that are not there, ids that are there twice, and links from the root", () => {
  cpSync(SITE, BROKEN, { recursive: true });
  expect(links.deadLinks(BROKEN)).toEqual([]);
  const bad =
    '<a href="no.html"></a><a href="#no"></a><a href="tests.html#no"></a><a href="/tests.html"></a><p id="doors">';
  writeFileSync(`${BROKEN}/index.html`, `${read("index.html")}${bad}`);
  expect(links.deadLinks(BROKEN)).toEqual([
    'index.html: id "doors" is there twice',
    "index.html: no.html: no such file",
    "index.html: #no: no such anchor",
    "index.html: tests.html#no: no such anchor",
    "index.html: /tests.html: works only at the root of a host",
  ]);
});

describe("in Chromium", () => {
  const browser = runtime("chromium");
  const cases = ["index.html", "search.html", "measured.html", "guides/protocol.html", "reference/exchange.html"];

  test.skipIf("missing" in browser).each(cases.flatMap((page) => [1280, 500].map((width) => [page, width] as const)))(
    "axe finds nothing in %s, %i pixels wide",
    (page, width) => {
      if ("missing" in browser) return;
      const { passes, violations } = axe(browser, AGAIN, page, width);
      expect(violations).toEqual([]);
      expect(passes).toBeGreaterThan(20);
    },
  );
});
