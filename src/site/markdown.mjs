/** Markdown to HTML: headings with anchors, links between the pages, and tables that may be wider than the screen. */
import { dirname, join, relative } from "node:path";
import { Marked } from "marked";
import { escaped } from "../html.mjs";

const ENTITIES = { lt: "<", gt: ">", amp: "&", quot: '"', "#39": "'" };

/** The anchor of a heading as GitHub makes it. */
function slugOf(text) {
  const bare = text.replace(/&(\w+|#39);/g, (all, name) => ENTITIES[name] ?? all);
  return bare
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\- ]/gu, "")
    .replaceAll(" ", "-");
}

/** The path from one place of the site to another. */
export function pathTo(place, from) {
  return relative(dirname(from), place).replaceAll("\\", "/");
}

/** A link in a document as a link between pages. What leads nowhere stays, and the check finds it. */
function linkOf(href, { source, place }, placeOf) {
  if (/^[a-z]+:|^#/.test(href)) return href;
  const [path, anchor] = href.split("#");
  const target = placeOf(join(dirname(source), path).replace(/\/$/, "").replaceAll("\\", "/"));
  if (target === undefined) return href;
  return pathTo(target, place) + (anchor === undefined ? "" : `#${anchor}`);
}

/** Tables in boxes of their own, which the keyboard reaches; a column without a name has no header. */
function withBoxes(html) {
  return html
    .replace(/<table>/g, '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>')
    .replace(/<\/table>/g, "</table></div>")
    .replace(/<pre>/g, '<pre tabindex="0">')
    .replace(/<th( align="\w+")?><\/th>/g, "<td></td>");
}

/** A document as HTML, and its headings below the title: level, anchor and text. */
export function render(text, document, placeOf) {
  const headings = [];
  const taken = new Map();
  const renderer = {
    heading({ tokens, depth }) {
      const slug = slugOf(this.parser.parseInline(tokens, this.parser.textRenderer));
      const count = taken.get(slug) ?? 0;
      taken.set(slug, count + 1);
      const id = count === 0 ? slug : `${slug}-${count}`;
      const html = this.parser.parseInline(tokens);
      if (depth > 1) headings.push({ depth, id, text: html.replace(/<[^>]*>/g, "") });
      return `<h${depth} id="${id}">${html}</h${depth}>\n`;
    },
    link({ href, tokens }) {
      const to = linkOf(href, document, placeOf);
      return `<a href="${escaped(to)}">${this.parser.parseInline(tokens)}</a>`;
    },
    image({ href, text: words }) {
      return `<img src="${escaped(linkOf(href, document, placeOf))}" alt="${escaped(words)}">`;
    },
    // Marks of generated blocks are for those who write.
    html({ text }) {
      if (text.startsWith("<!--")) return "";
      return text.replace(/(?<=<img [^>]*src=")[^"]*/g, (href) => escaped(linkOf(href, document, placeOf)));
    },
  };
  return { html: withBoxes(new Marked({ renderer }).parse(text)), headings };
}
