import { EventError } from "../../../protocol/index.js";
import { PlatformFields } from "../fields.js";

/** Twitch asks to refuse what is older: it may be a replay. */
const OLDEST_MS = 600_000;
/** A challenge is sent back, so it must be what a challenge is. */
const CHALLENGE = /^[\w.~+/=-]{1,512}$/;
const PREFIX = "twitch-eventsub-message-";

/** What a webhook of EventSub holds. */
export type TwitchWebhook =
  /** To be sent back as plain text: then the subscription begins. */
  | { kind: "challenge"; challenge: string }
  /** For `PlatformConnector.message`. */
  | { kind: "notification"; message: unknown }
  /** Twitch has ended a subscription. */
  | { kind: "revocation"; type: string; reason: string };

async function isSigned(given: string, secret: string, signed: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const found = /^sha256=([0-9a-f]{64})$/.exec(given)?.[1];
  if (found === undefined) return false;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), algorithm, false, ["verify"]);
  // It compares in a time that does not tell where they differ.
  return crypto.subtle.verify(
    "HMAC",
    key,
    Uint8Array.from(found.match(/../g)!, (byte) => parseInt(byte, 16)),
    signed,
  );
}

/**
 * Reads a request of EventSub to a webhook, once its signature is found right, as in
 * https://dev.twitch.tv/docs/eventsub/handling-webhook-events/.
 *
 * @param header A header of the request by its lower-case name.
 * @param body The body as it came, byte for byte.
 * @param secret The secret of the subscription.
 * @param now Milliseconds.
 * @returns undefined if the signature is wrong, or older than ten minutes.
 * @throws EventError that names the field, for a signed request that is none of EventSub.
 */
export async function readTwitchWebhook(
  header: (name: string) => string | null | undefined,
  body: Uint8Array,
  secret: string,
  now: number,
): Promise<TwitchWebhook | undefined> {
  const [id, timestamp, type] = ["id", "timestamp", "type"].map((name) => header(`${PREFIX}${name}`) ?? "");
  const head = new TextEncoder().encode(`${id}${timestamp}`);
  const signed = new Uint8Array(head.length + body.length);
  signed.set(head);
  signed.set(body, head.length);
  if (!(await isSigned(header(`${PREFIX}signature`) ?? "", secret, signed))) return undefined;
  const metadata = { message_id: id, message_timestamp: timestamp, message_type: type };
  const time = new PlatformFields(metadata).time("message_timestamp");
  if (time === undefined || Math.abs(now - time) > OLDEST_MS) return undefined;
  const payload = new PlatformFields(parsed(body));
  if (type === "webhook_callback_verification") {
    const challenge = payload.text("challenge") ?? "";
    if (!CHALLENGE.test(challenge)) throw payload.refuse("challenge", "text of 1 to 512 letters, digits and signs");
    return { kind: "challenge", challenge };
  }
  if (type === "notification") return { kind: "notification", message: { metadata, payload: payload.whole()[1] } };
  if (type === "revocation") return { kind: "revocation", ...revoked(payload) };
  throw new PlatformFields(metadata).refuse("message_type", "one that Twitch documents");
}

function revoked(payload: PlatformFields): { type: string; reason: string } {
  const subscription = payload.object("subscription");
  return { type: subscription.id("type"), reason: subscription.id("status") };
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new EventError("", "the body must be JSON in UTF-8");
  }
}

/** What a message of EventSub's WebSocket asks for. */
export type TwitchSocketStep =
  /** Subscribe now, with this id of the session, unless it goes on from another (`isResumed`). */
  | { kind: "welcome"; session: string; isResumed: boolean }
  | { kind: "keepalive" }
  /** For `PlatformConnector.message`. */
  | { kind: "notification"; message: unknown }
  /** Connect there; the old connection ends with the welcome of the new one. */
  | { kind: "reconnect"; url: string }
  | { kind: "revocation"; type: string; reason: string };

/**
 * The protocol of EventSub's WebSocket, without a socket: it reads messages and says what to do, as in
 * https://dev.twitch.tv/docs/eventsub/handling-websocket-events/. It sends nothing: a client must not.
 */
export class TwitchSocket {
  readonly #url: URL;
  #session: string | undefined;
  #isReconnecting = false;
  #silenceMs = 10_000;
  #heard: number;

  /**
   * @param url What the connection was opened with; addresses to reconnect to must have its host.
   * @param now Milliseconds.
   */
  constructor(url: string, now: number) {
    this.#url = new URL(url);
    this.#heard = now;
  }

  /** Whether nothing has come for longer than Twitch lets pass, and a second: then connect anew and subscribe again. */
  isSilent(now: number): boolean {
    return now - this.#heard > this.#silenceMs + 1000;
  }

  /** @throws EventError that names the field of a message that is none of EventSub. */
  take(message: unknown, now: number): TwitchSocketStep {
    const whole = new PlatformFields(message);
    const type = whole.object("metadata").id("message_type");
    this.#heard = now;
    if (type === "session_keepalive") return { kind: "keepalive" };
    if (this.#session !== undefined && type === "notification") return { kind: "notification", message };
    const payload = whole.object("payload");
    if (type === "revocation") return { kind: "revocation", ...revoked(payload) };
    if (type !== "session_welcome" && type !== "session_reconnect") {
      throw whole.object("metadata").refuse("message_type", "session_welcome first");
    }
    const session = payload.object("session");
    if (type === "session_reconnect") return { kind: "reconnect", url: this.#reconnect(session) };
    const id = session.id("id");
    const seconds = session.count("keepalive_timeout_seconds") ?? 10;
    if (seconds < 1 || seconds > 600) throw session.refuse("keepalive_timeout_seconds", "in [1, 600]");
    this.#silenceMs = seconds * 1000;
    const isResumed = this.#isReconnecting;
    this.#session = id;
    this.#isReconnecting = false;
    return { kind: "welcome", session: id, isResumed };
  }

  #reconnect(session: PlatformFields): string {
    const given = session.text("reconnect_url") ?? "";
    const url = URL.canParse(given) ? new URL(given) : undefined;
    const isKnown = url?.protocol === this.#url.protocol && url.hostname === this.#url.hostname;
    if (!isKnown) throw session.refuse("reconnect_url", `an address of ${this.#url.hostname}`);
    this.#isReconnecting = true;
    return given;
  }
}
