import { connectPlatforms, type Follower } from "../../server/connect/index.js";
import type { Edge } from "../../server/index.js";
import { SettingError } from "./resolve.js";
import type { ServeSettings } from "./settings.js";

type ConnectSettings = Pick<ServeSettings, "connect" | "connectEvery" | "connectCallback" | "simulate">;

/** The platforms that the server follows. */
export interface Connections {
  followers: readonly Follower[];
  start(): void;
  /** Resolves when none of them feeds any more. */
  stop(): Promise<void>;
}

/**
 * The connections of the command line, with their secrets from the environment.
 *
 * @throws SettingError.
 */
export function connectionsOf(
  { connect: specs = [], connectEvery, connectCallback: callback, simulate }: ConnectSettings,
  edge: Pick<Edge, "feed" | "onAir">,
  onLog: (text: string) => void,
): Connections {
  if (simulate && specs.length > 0) {
    throw new SettingError('"--connect" and "--simulate" do not go together: simulated time is not that of platforms');
  }
  const end = new AbortController();
  const parts = { environment: process.env, now: Date.now, signal: end.signal, onLog, callback };
  let followers: Follower[];
  try {
    followers = connectPlatforms(specs, {
      ...parts,
      ...{ feed: (events) => edge.feed(events), onAir: edge.onAir() },
      ...(connectEvery !== undefined && { intervalMs: 1000 * connectEvery }),
    });
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    throw new SettingError(`"--connect": ${error.message}`);
  }
  return {
    followers,
    start: () => {
      for (const follower of followers) follower.start();
    },
    stop: async () => {
      end.abort();
      await Promise.all(followers.map((follower) => follower.stop()));
    },
  };
}

/** Says what is wrong with `--connect` before anything is opened. @throws SettingError. */
export function checkConnections(options: ConnectSettings): void {
  connectionsOf(options, { feed: async () => [], onAir: () => [] }, () => {});
}
