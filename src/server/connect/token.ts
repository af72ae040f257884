import { WireError } from "./wire.js";

/** What Twitch knows an application by; never printed. */
export interface TwitchTokenOptions {
  clientId: string;
  /** An app or user access token; or */
  token?: string | undefined;
  /** the secret of the application, to get one with. */
  clientSecret?: string | undefined;
  /** Default Twitch's. */
  url?: string;
  fetch?: typeof fetch;
}

const URL = "https://id.twitch.tv/oauth2/token";
/** Longest answer that may hold a token. */
const ANSWER = 65_536;

/** The headers of requests to Twitch: by a given token, or by one that the secret gets and renews when it is refused. */
export class TwitchToken {
  readonly #options: TwitchTokenOptions;
  #token: string | undefined;

  constructor(options: TwitchTokenOptions) {
    this.#options = options;
    this.#token = options.token;
  }

  /** @throws WireError if Twitch gives no token; its message has no secret. */
  async headers(isRefused = false): Promise<Record<string, string>> {
    const { clientId, clientSecret } = this.#options;
    if (clientSecret !== undefined && (isRefused || this.#token === undefined)) this.#token = await this.#fresh();
    return { "client-id": clientId, authorization: `Bearer ${this.#token}` };
  }

  async #fresh(): Promise<string> {
    const { clientId, clientSecret = "", url = URL, fetch: ask = fetch } = this.#options;
    const body = new URLSearchParams({
      ...{ client_id: clientId, client_secret: clientSecret, grant_type: "client_credentials" },
    });
    const response = await ask(url, { method: "POST", body, redirect: "error", signal: AbortSignal.timeout(10_000) });
    const text = response.ok ? (await response.text()).slice(0, ANSWER) : "";
    let token: unknown;
    try {
      token = (JSON.parse(text) as { access_token?: unknown }).access_token;
    } catch {
      // What is no JSON has no token.
    }
    if (typeof token === "string" && /^[\x21-\x7e]{1,512}$/.test(token)) return token;
    throw new WireError(`Twitch gave no token: it answered ${response.status}`);
  }
}
