import { owncastAdapter, type PlatformAdapter, peertubeAdapter, twitchAdapter } from "../../logs/index.js";
import type { Id, LiveEvent, Receipt } from "../../protocol/index.js";
import { EventSub } from "./eventsub.js";
import { Follower, type FollowerOptions } from "./follower.js";
import { TwitchToken } from "./token.js";
import { Wire, type WireRequest } from "./wire.js";

/** What connections are made of. */
export interface PlatformParts {
  /** Secrets by the names of environment variables. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Takes events for good, in their order. If it throws, it has taken none. */
  feed: (events: readonly LiveEvent[]) => Promise<readonly Receipt[]>;
  /** All streams that are on air from before. */
  onAir: readonly Id[];
  /** The host's time, milliseconds since the Unix epoch. */
  now: () => number;
  /** Ends requests that are under way. */
  signal: AbortSignal;
  /** Between two polls, milliseconds. Default by platform: 15, 30 or 60 s. */
  intervalMs?: number | undefined;
  /** The address under which platforms reach this server, such as `https://live.example`. Default: no subscriptions are made. */
  callback?: string | undefined;
  onLog?: (text: string) => void;
}

/** A platform to follow. */
interface Target {
  adapter: PlatformAdapter;
  intervalMs: number;
  headers?: (isRefused: boolean) => Promise<Record<string, string>>;
  webhook?: FollowerOptions["webhook"];
  /** What the subscriptions of its webhook are about. Default: the platform takes none. */
  subscribed?: { url: string; users: readonly string[] };
}

type Environment = PlatformParts["environment"];

/** The variables that hold secrets of platforms. */
export const CONNECT_SECRETS: readonly string[] = [
  "LIVEQ_OWNCAST_KEY",
  "LIVEQ_TWITCH_CLIENT_ID",
  "LIVEQ_TWITCH_CLIENT_SECRET",
  "LIVEQ_TWITCH_EVENTSUB_SECRET",
  "LIVEQ_TWITCH_TOKEN",
];

/** A secret of the environment. @throws RangeError for one of another length than platforms take. */
function secretOf(environment: Environment, name: string, [least, most] = [10, 100]): string | undefined {
  const value = environment[name];
  if (value === undefined || value === "") return undefined;
  if (value.length < least! || value.length > most! || !/^[\x21-\x7e]+$/.test(value)) {
    throw new RangeError(`"${name}" must have ${least} to ${most} visible characters, got ${value.length}`);
  }
  return value;
}

function owncast(url: string, environment: Environment): Target {
  const adapter = owncastAdapter({ url });
  const secret = secretOf(environment, "LIVEQ_OWNCAST_KEY", [16, 100]);
  return { adapter, intervalMs: 15_000, ...(secret !== undefined && { webhook: { kind: "owncast", secret } }) };
}

function peertube(url: string): Target {
  return { adapter: peertubeAdapter({ url }), intervalMs: 30_000 };
}

const FILTERS: Readonly<Record<string, "users" | "games" | "languages">> = {
  user_id: "users",
  game_id: "games",
  language: "languages",
};

/** `user_id=1&language=en`, behind an address and `?` for another API than Twitch's own. */
function twitch(text: string, environment: Environment): Target {
  const isAddress = /^https?:\/\//.test(text);
  const at = text.indexOf("?");
  const [address, query] = isAddress
    ? [at < 0 ? text : text.slice(0, at), at < 0 ? "" : text.slice(at + 1)]
    : ["", text];
  const given = { users: [] as string[], games: [] as string[], languages: [] as string[] };
  for (const [name, value] of new URLSearchParams(query)) {
    const filter = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined;
    if (filter === undefined) {
      throw new RangeError(
        `"twitch" must have filters of ${Object.keys(FILTERS).join(", ")}, got "${name.slice(0, 40)}"`,
      );
    }
    given[filter].push(value);
  }
  const clientId = secretOf(environment, "LIVEQ_TWITCH_CLIENT_ID", [1, 200]);
  const token = secretOf(environment, "LIVEQ_TWITCH_TOKEN", [1, 512]);
  const clientSecret = secretOf(environment, "LIVEQ_TWITCH_CLIENT_SECRET", [1, 200]);
  if (clientId === undefined || (token === undefined && clientSecret === undefined)) {
    throw new RangeError(
      '"twitch" needs LIVEQ_TWITCH_CLIENT_ID, and LIVEQ_TWITCH_TOKEN or LIVEQ_TWITCH_CLIENT_SECRET, in the environment',
    );
  }
  const tokens = new TwitchToken({ clientId, token, clientSecret });
  const secret = secretOf(environment, "LIVEQ_TWITCH_EVENTSUB_SECRET");
  return {
    adapter: twitchAdapter({ ...given, ...(isAddress && { url: address }) }),
    ...{ intervalMs: 60_000, headers: (isRefused: boolean) => tokens.headers(isRefused) },
    ...(secret !== undefined && { webhook: { kind: "twitch" as const, secret } }),
    subscribed: { url: isAddress ? address.replace(/\/$/, "") : "https://api.twitch.tv/helix", users: given.users },
  };
}

const PLATFORMS: Readonly<Record<string, (value: string, environment: Environment) => Target>> = {
  ...{ owncast, peertube, twitch },
};

function targetOf(spec: string, environment: Environment): { platform: string; target: Target } {
  const at = spec.indexOf("=");
  const [platform, value] = at < 0 ? [spec, ""] : [spec.slice(0, at), spec.slice(at + 1)];
  const make = Object.hasOwn(PLATFORMS, platform) ? PLATFORMS[platform] : undefined;
  if (make === undefined) {
    throw new RangeError(
      `"connect" must be owncast=URL, peertube=URL or twitch=FILTERS, got "${platform.slice(0, 40)}"`,
    );
  }
  return { platform, target: make(value, environment) };
}

/**
 * The connections to platforms, by texts such as `owncast=https://live.example.org`: each has the name of its platform, the
 * second one of a platform `owncast-2`. None polls before its `start`.
 *
 * @throws RangeError, TypeError for a text that is none, a platform that is there twice, or a secret that is missing.
 */
export function connectPlatforms(specs: readonly string[], parts: PlatformParts): Follower[] {
  const { environment, feed, onAir, now, signal, onLog } = parts;
  const names = new Map<string, number>();
  const taken = new Set<string>();
  return specs.map((spec) => {
    const { platform, target } = targetOf(spec, environment);
    const list = target.adapter.list(0).url;
    const own = ownOf(platform, target);
    if (taken.has(own)) throw new RangeError(`"connect" must have each platform once, got "${own}" twice`);
    taken.add(own);
    const n = (names.get(platform) ?? 0) + 1;
    names.set(platform, n);
    const wire = new Wire({ now, signal, ...(target.headers && { headers: target.headers }) });
    const name = n === 1 ? platform : `${platform}-${n}`;
    const subscriptions = subscriptionsOf(name, target, wire, parts);
    return new Follower({
      name,
      adapter: target.adapter,
      ask: (request) => wire.ask(request),
      ...{ feed, now, intervalMs: parts.intervalMs ?? target.intervalMs },
      onAir: onAir.filter((stream) =>
        own.endsWith("/") || own.endsWith(":") ? stream.startsWith(own) : stream === own,
      ),
      ...(target.webhook && { webhook: target.webhook }),
      ...(subscriptions && { subscribe: () => subscriptions.reconcile() }),
      ...(onLog && { onLog: (text: string) => onLog(`${text} (${new URL(list).origin})`) }),
      // Twitch sends a notification that failed again for some minutes.
      connector: { skewMs: 600_000 },
    });
  });
}

/** What keeps the subscriptions of a target; undefined where there are none to make. @throws RangeError without a secret. */
function subscriptionsOf(
  name: string,
  { webhook, subscribed }: Target,
  wire: Wire,
  { callback, onLog }: PlatformParts,
): EventSub | undefined {
  if (callback === undefined || subscribed === undefined) return undefined;
  if (webhook === undefined) {
    throw new RangeError(
      '"twitch" needs LIVEQ_TWITCH_EVENTSUB_SECRET in the environment, to sign what comes to the callback',
    );
  }
  if (subscribed.users.length === 0) {
    onLog?.(`${name} is polled alone: only a "user_id" can be subscribed to`);
    return undefined;
  }
  const own = `${callback.replace(/\/$/, "")}/v1/connect/${name}`;
  const ask = (request: WireRequest, statuses: readonly number[]) => wire.ask(request, statuses);
  return new EventSub({ ...subscribed, callback: own, secret: webhook.secret, ask });
}

/** The name of the only stream of a target, or how the names of its streams begin: then it ends with `/` or `:`. */
function ownOf(platform: string, { adapter }: Target): string {
  if (platform === "twitch") return "twitch:";
  const { host, pathname } = new URL(adapter.list(0).url);
  const at = `${platform}:${host}${pathname.slice(0, pathname.lastIndexOf("/api/"))}`;
  return platform === "owncast" ? at : `${at}/`;
}
