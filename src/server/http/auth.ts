import { fields, list, requireShape, type Shape, text } from "../../check/index.js";

/** What a token may do: ask for slates; send events; read profiles, figures and models; change models and forget users. */
export const SCOPES = ["recommend", "events", "read", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** A secret that a client shows as `authorization: Bearer SECRET`, and what it may do. */
export interface Token {
  secret: string;
  scopes: readonly Scope[];
}

/** Headers that are remembered. */
const SEEN = 1024;
/** Shortest secret. */
const SECRET = 16;
const TOKENS: Shape = list(fields<Token>({ secret: text, scopes: list(text) }));

async function digest(secret: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret)));
}

/** Whether two digests are equal, in a time that does not tell where they differ. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** Says what a request may do. */
export class Tokens {
  readonly #tokens: Promise<{ digest: Uint8Array; scopes: readonly Scope[] }[]>;
  readonly #isOpen: boolean;
  /** What headers that were found right may do, and how they are named: their digest need not be made again. */
  readonly #seen = new Map<string, { name: string; scopes: readonly Scope[] }>();

  /**
   * @param tokens Undefined: everybody may do all, as fits a server that this machine alone reaches.
   * @throws TypeError, RangeError for tokens that are none.
   */
  constructor(tokens: readonly Token[] | undefined) {
    this.#isOpen = tokens === undefined;
    requireShape(TOKENS, tokens ?? [], "tokens");
    for (const [i, { secret, scopes }] of (tokens ?? []).entries()) {
      if (secret.length < SECRET) {
        throw new RangeError(`"tokens.${i}.secret" must have at least ${SECRET} characters, got ${secret.length}`);
      }
      const wrong = scopes.find((scope) => !SCOPES.includes(scope));
      if (wrong !== undefined)
        throw new RangeError(`"tokens.${i}.scopes" must be of ${SCOPES.join(", ")}, got ${wrong}`);
    }
    this.#tokens = Promise.all(
      (tokens ?? []).map(async ({ secret, scopes }) => ({ digest: await digest(secret), scopes })),
    );
  }

  /** A name for the token of a header that was found right before; undefined for others. */
  known(authorization: string | undefined): string | undefined {
    return authorization === undefined ? undefined : this.#seen.get(authorization)?.name;
  }

  /** Whether a request may do something: 200, 401 without a known token, 403 with one of other scopes. */
  async check(authorization: string | undefined, scope: Scope): Promise<200 | 401 | 403> {
    if (this.#isOpen) return 200;
    const seen = authorization === undefined ? undefined : this.#seen.get(authorization);
    if (seen !== undefined) return seen.scopes.includes(scope) ? 200 : 403;
    const secret = /^bearer +([\x21-\x7e]{1,4096})$/i.exec(authorization ?? "")?.[1];
    if (secret === undefined) return 401;
    const given = await digest(secret);
    let found: { name: string; scopes: readonly Scope[] } | undefined;
    // All of them, whichever it is.
    for (const [i, token] of (await this.#tokens).entries()) {
      if (isSame(token.digest, given)) found = { name: `token ${i}`, scopes: token.scopes };
    }
    if (found === undefined) return 401;
    if (this.#seen.size === SEEN) this.#seen.clear();
    this.#seen.set(authorization!, found);
    return found.scopes.includes(scope) ? 200 : 403;
  }
}
