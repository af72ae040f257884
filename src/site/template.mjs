/** One document around every page: policy, style, colours, navigation. */
import { escaped, htmlDocument } from "../html.mjs";
import { pathTo } from "./markdown.mjs";

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'";
/** The script of the choice of colours, which all pages have. */
export const THEME = "theme.js";
/** The page that finds words, and its script. */
export const SEARCH = { place: "search.html", script: "search.js" };

/** The documents in the navigation, and the playground, by group. */
function groupsOf(all) {
  const groups = new Map(["LiveQ", "Guides", "Reference"].map((group) => [group, []]));
  for (const each of all) groups.set(each.group, [...(groups.get(each.group) ?? []), each]);
  groups.get("LiveQ").push({ place: "playground/index.html", label: "Open the playground" });
  return groups;
}

/** The headings of a page that stand in the navigation: chapters, and in the reference the names. */
function outline({ group }, headings) {
  const wanted = group === "Reference" ? 3 : 2;
  const shown = headings.filter(({ depth }) => depth === wanted);
  if (shown.length === 0) return "";
  return `<ul>${shown.map(({ id, text }) => `<li><a href="#${id}">${text}</a></li>`).join("")}</ul>`;
}

function navigation(document, headings, all) {
  const entry = ({ place, label }) => {
    const isHere = place === document.place;
    const here = isHere ? ' aria-current="page"' : "";
    const link = `<a href="${pathTo(place, document.place)}"${here}>${escaped(label)}</a>`;
    return `<li>${link}${isHere ? outline(document, headings) : ""}</li>`;
  };
  return [...groupsOf(all)]
    .map(([group, entries]) => `<p class="group">${group}</p>\n<ul>\n${entries.map(entry).join("\n")}\n</ul>`)
    .join("\n");
}

/** From a guide to its reference, and back. */
function beside({ place, reference, guide }, all) {
  const target = reference ?? guide;
  const found = all.find((each) => each.place === target);
  if (!found) return "";
  const words = reference ? "Reference" : "Guide";
  return `<p class="beside">${words}: <a href="${pathTo(target, place)}">${escaped(found.label)}</a></p>\n`;
}

/** A field that leads to the page of the search. */
const field = (place) => `<form class="find" role="search" action="${pathTo(SEARCH.place, place)}">
<input type="search" name="q" aria-label="Search" placeholder="Search">
</form>`;

/** A page as a whole. @param script Its own script. Default: none. */
export function page(document, { html, headings }, all, script) {
  const { place, title } = document;
  const home = pathTo("index.html", place);
  const head = [
    '<link rel="icon" href="data:,">',
    `<link rel="stylesheet" href="${pathTo("style.css", place)}">`,
    // Before the page is painted.
    `<script src="${pathTo(THEME, place)}"></script>`,
    ...(script ? [`<script defer src="${script}"></script>`] : []),
  ];
  const body = `<body class="site">
<a class="skip" href="#main">To the content</a>
<header class="top">
<a class="name" href="${home}">LiveQ</a>
<a href="${pathTo("playground/index.html", place)}">Playground</a>
<a href="${pathTo("guides/dashboard.html", place)}">Dashboard</a>
${field(place)}
<button class="menu" popovertarget="menu">Menu</button>
</header>
<nav id="menu" popover aria-label="Pages">
${navigation(document, headings, all)}
</nav>
<main id="main" tabindex="-1">
${beside(document, all)}${html}</main>
</body>`;
  return htmlDocument({
    ...{ title: title === "LiveQ" ? title : `${title} · LiveQ`, policy: POLICY },
    ...{ head: head.join("\n"), body },
  });
}
