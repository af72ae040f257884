import type { WireRequest } from "./wire.js";
import { WireError } from "./wire.js";

/** A subscription of EventSub, as Twitch lists it. */
export interface EventSubscription {
  readonly id: string;
  readonly status: string;
  readonly type: string;
  readonly version: string;
  /** The broadcaster that it is about; undefined where it has another condition. */
  readonly broadcaster: string | undefined;
  /** Where it sends notifications; undefined for another transport than a webhook. */
  readonly callback: string | undefined;
}

/** What a subscription is to be about. */
export type Wanted = Pick<EventSubscription, "type" | "version"> & { readonly broadcaster: string };

/** A page of subscriptions. */
interface SubscriptionPage {
  readonly subscriptions: readonly EventSubscription[];
  readonly cursor: string | undefined;
}

/** The types that say what is on air, with the versions that the adapter reads. */
const TYPES: readonly Pick<EventSubscription, "type" | "version">[] = [
  { type: "stream.online", version: "1" },
  { type: "stream.offline", version: "1" },
  { type: "channel.update", version: "2" },
];
/** Pages of 100 subscriptions; an application has 10,000 webhooks at most. */
const PAGES = 100;

/** The subscriptions that follow broadcasters. */
export function wantedOf(users: readonly string[]): Wanted[] {
  return users.flatMap((broadcaster) => TYPES.map((type) => ({ ...type, broadcaster })));
}

/** https://dev.twitch.tv/docs/api/reference/#get-eventsub-subscriptions */
export function listRequest(url: string, cursor?: string): WireRequest {
  const query = cursor === undefined ? "" : `?${new URLSearchParams({ after: cursor })}`;
  return { method: "GET", url: `${url}/eventsub/subscriptions${query}` };
}

/** https://dev.twitch.tv/docs/api/reference/#create-eventsub-subscription */
export function createRequest(
  url: string,
  { type, version, broadcaster }: Wanted,
  { callback, secret }: { callback: string; secret: string },
): WireRequest {
  const condition = { broadcaster_user_id: broadcaster };
  const body = { type, version, condition, transport: { method: "webhook", callback, secret } };
  return { method: "POST", url: `${url}/eventsub/subscriptions`, body };
}

/** https://dev.twitch.tv/docs/api/reference/#delete-eventsub-subscription */
export function deleteRequest(url: string, id: string): WireRequest {
  return { method: "DELETE", url: `${url}/eventsub/subscriptions?${new URLSearchParams({ id })}` };
}

type Fields = Record<string, unknown>;
const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});
const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value.length > 0 && value.length <= 2048 ? value : undefined;

/** A page of the list; elements that are no subscriptions are left out. @throws WireError for what is no list. */
export function readSubscriptions(answer: unknown): SubscriptionPage {
  const { data, pagination } = fieldsOf(answer);
  if (!Array.isArray(data)) throw new WireError("Twitch's list of subscriptions has no data");
  const subscriptions = data.flatMap((one: unknown): EventSubscription[] => {
    const { id, status, type, version, condition, transport } = fieldsOf(one);
    const [own, state, kind, of] = [textOf(id), textOf(status), textOf(type), textOf(version)];
    if (own === undefined || state === undefined || kind === undefined || of === undefined) return [];
    const broadcaster = textOf(fieldsOf(condition)["broadcaster_user_id"]);
    const callback = textOf(fieldsOf(transport)["callback"]);
    return [{ id: own, status: state, type: kind, version: of, broadcaster, callback }];
  });
  return { subscriptions, cursor: textOf(fieldsOf(pagination)["cursor"]) };
}

/** Whether Twitch sends notifications, or asks the callback whether it shall. */
function isAlive({ status }: EventSubscription): boolean {
  return status === "enabled" || /verification[_-]pending$/.test(status);
}

const keyOf = ({ type, version, broadcaster }: Omit<Wanted, "broadcaster"> & Pick<EventSubscription, "broadcaster">) =>
  `${type} ${version} ${broadcaster}`;

/**
 * What is missing, and what is there in vain: subscriptions to this callback that have ended, or that nobody wants, or that are
 * there twice. Those of other callbacks are somebody else's.
 */
export function planOf(
  wanted: readonly Wanted[],
  there: readonly EventSubscription[],
  callback: string,
): { create: Wanted[]; remove: EventSubscription[] } {
  const open = new Map(wanted.map((one) => [keyOf(one), one]));
  const remove = there.filter((one) => one.callback === callback && !(isAlive(one) && open.delete(keyOf(one))));
  return { create: [...open.values()], remove };
}

/** How subscriptions are kept. */
export interface EventSubOptions {
  /** The address of the API. */
  url: string;
  /** Where notifications shall go, and the secret that signs them. */
  callback: string;
  secret: string;
  users: readonly string[];
  /** Sends a request; other statuses than those are a `WireError`. */
  ask: (request: WireRequest, statuses: readonly number[]) => Promise<unknown>;
}

/** Keeps the subscriptions of a server at Twitch as they shall be. */
export class EventSub {
  readonly #options: EventSubOptions;

  constructor(options: EventSubOptions) {
    this.#options = options;
  }

  /** Makes what is missing and removes what is there in vain. Returns how many there are now. @throws WireError. */
  async reconcile(): Promise<number> {
    const { url, callback, users, ask } = this.#options;
    const there: EventSubscription[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < PAGES; page++) {
      const found = readSubscriptions(await ask(listRequest(url, cursor), [200]));
      there.push(...found.subscriptions);
      if (found.cursor === undefined || found.subscriptions.length === 0 || found.cursor === cursor) break;
      cursor = found.cursor;
    }
    const wanted = wantedOf(users);
    const { create, remove } = planOf(wanted, there, callback);
    // 404: it has gone by itself; 409: it has come meanwhile.
    for (const { id } of remove) await ask(deleteRequest(url, id), [204, 404]);
    for (const one of create) await ask(createRequest(url, one, this.#options), [202, 409]);
    return wanted.length;
  }
}
