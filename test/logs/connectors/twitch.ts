/** What Twitch answers and sends, written by hand in the documented shapes; no such broadcaster or viewer exists. */
import { createHmac } from "node:crypto";

/** A stream of Get Streams. */
export function stream(n: number, more: object = {}): object {
  return {
    id: `4${n}`,
    user_id: `${n}`,
    user_login: `caster${n}`,
    user_name: `Caster${n}`,
    game_id: "509658",
    game_name: "Just Chatting",
    type: "live",
    title: `hello ${n}`,
    tags: ["English", "Cosy"],
    viewer_count: 78,
    started_at: "2026-06-30T11:00:00Z",
    language: "en",
    thumbnail_url: "",
    tag_ids: [],
    is_mature: false,
    ...more,
  };
}

/** `GET /helix/streams`. */
export function streams(data: readonly unknown[], cursor?: string): object {
  return { data, pagination: cursor === undefined ? {} : { cursor } };
}

/** What is said of each type of subscription. */
export const EVENTS: Readonly<Record<string, object>> = {
  "stream.online": { id: "91", type: "live", started_at: "2026-06-30T11:59:00Z" },
  "stream.offline": {},
  "channel.update": { title: "new title", language: "en", category_id: "12", category_name: "Chess" },
  "channel.follow": { user_id: "u5", user_login: "eve", followed_at: "2026-06-30T12:00:00.1Z" },
  "channel.cheer": { is_anonymous: false, user_id: "u5", message: "pogchamp", bits: 250 },
  "channel.chat.message": { chatter_user_id: "u5", message_id: "m", message: { text: "hi", fragments: [] } },
  "channel.subscribe": { user_id: "u5", tier: "2000", is_gift: false },
};

/** The body of a notification of a webhook, and the payload of one of a WebSocket. */
export function payload(type: string, broadcaster: string, more: object = {}): object {
  const condition = { broadcaster_user_id: broadcaster };
  const subscription = { id: "f1c2", type, version: "1", status: "enabled", cost: 0, condition };
  return { subscription, event: { broadcaster_user_id: broadcaster, ...EVENTS[type], ...more } };
}

/** A message of the WebSocket. */
export function message(type: string, payload: object, id = "m1", time = "2026-06-30T12:00:00.123456789Z"): object {
  return { metadata: { message_id: id, message_type: type, message_timestamp: time }, payload };
}

/** The headers of a webhook with its signature. */
export function signed(
  body: string,
  secret: string,
  { type = "notification", id = "m1", time = "2026-06-30T12:00:00.123456789Z" } = {},
): Record<string, string> {
  const hmac = createHmac("sha256", secret)
    .update(id + time + body)
    .digest("hex");
  return {
    "content-type": "application/json",
    "twitch-eventsub-message-id": id,
    "twitch-eventsub-message-retry": "0",
    "twitch-eventsub-message-type": type,
    "twitch-eventsub-message-timestamp": time,
    "twitch-eventsub-message-signature": `sha256=${hmac}`,
    "twitch-eventsub-subscription-type": "stream.online",
    "twitch-eventsub-subscription-version": "1",
  };
}
