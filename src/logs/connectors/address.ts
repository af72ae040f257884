import type { Rule } from "../../check/index.js";

/** Longest address: with the platform and an id of 36 characters it must fit the schema's limit of names. */
const LENGTH = 160;

function parsed(value: unknown): URL | undefined {
  if (typeof value !== "string" || value.length > LENGTH || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  const isPlain = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  return isPlain && (url.protocol === "https:" || url.protocol === "http:") ? url : undefined;
}

/** The address of a server: no secret may stand in it, as it is printed. */
export const isAddress: Rule = [
  (value) => parsed(value) !== undefined,
  `an http or https address of at most ${LENGTH} characters, without user, password, ? and #`,
];

/** The address without slashes at its end. */
export function addressOf(value: string): string {
  const { origin, pathname } = new URL(value);
  let end = pathname.length;
  while (end > 0 && pathname[end - 1] === "/") end--;
  return `${origin}${pathname.slice(0, end)}`;
}

/** Host and path of an address: the name of a server among others. */
export function roomOfAddress(value: string): string {
  return addressOf(value).replace(/^https?:\/\//, "");
}
