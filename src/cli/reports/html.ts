/** Text for a page: what a log or an option says must not become markup. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** What a document is made of. */
export interface DocumentParts {
  readonly title: string;
  /** What it may load. */
  readonly policy: string;
  /** What its head has beside that. */
  readonly head: string;
  /** With its tag. */
  readonly body: string;
}

/** A document as reports, pages and the site have it. */
export function htmlDocument({ title, policy, head, body }: DocumentParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escaped(title)}</title>
${head}
</head>
${body}
</html>
`;
}

/** A figure for people: three digits that count, thousands apart. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "unknown" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 1000) return Math.round(value).toLocaleString("en");
  if (size < 0.001) return value.toExponential(1);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** A table; cells of a column of numbers stand to the right. */
export function htmlTable(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const isNumber = header.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === "number"));
  const cell = (tag: string, value: string | number, i: number) => {
    const text = typeof value === "number" ? figure(value) : escaped(value);
    const scope = tag === "th" ? ' scope="col"' : "";
    return `<${tag}${scope}${isNumber[i] ? ' class="number"' : ""}>${text}</${tag}>`;
  };
  const line = (tag: string, cells: readonly (string | number)[]) => {
    return `<tr>${cells.map((value, i) => cell(tag, value, i)).join("")}</tr>`;
  };
  const body = rows.map((row) => line("td", row)).join("\n");
  return `<table>\n<thead>${line("th", header)}</thead>\n<tbody>\n${body}\n</tbody>\n</table>`;
}
