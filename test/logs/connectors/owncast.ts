/** What Owncast answers and sends, written by hand in the documented shapes; no such server or viewer exists. */

/** `GET /api/status`. */
export function status(more: object = {}): object {
  return {
    serverTime: "2026-06-30T12:00:00Z",
    lastConnectTime: "2026-06-30T13:30:00.5+02:00",
    lastDisconnectTime: null,
    versionNumber: "0.2.3",
    streamTitle: "Knots and ropes",
    viewerCount: 7,
    online: true,
    ...more,
  };
}

/** While nobody streams. */
export const OFF = status({ online: false, lastDisconnectTime: "2026-06-30T11:58:00Z", viewerCount: 0 });

/** `GET /api/config`. */
export function config(more: object = {}): object {
  return {
    name: "Harbour TV",
    summary: "Boats, all day",
    logo: "/logo",
    tags: ["boats", "knots"],
    version: "0.2.3-linux",
    nsfw: false,
    extraPageContent: "<p>Hello</p>",
    socialHandles: [],
    chatDisabled: false,
    ...more,
  };
}

const user = {
  id: "x9Kq-2",
  displayName: "calm-otter",
  displayColor: 4,
  createdAt: "2026-01-02T00:00:00.000000026Z",
  previousNames: ["calm-otter"],
  isBot: false,
  authenticated: false,
};

/** The body of a webhook. */
export function hook(type: string, more: object = {}, timestamp = "2026-06-30T12:00:00.000000006Z"): object {
  return { type, eventData: { id: `${type}-1`, timestamp, serverURL: "http://live.example:8080", ...more } };
}

export const HOOKS = {
  chat: (more: object = {}) => hook("CHAT", { user, clientId: 51, body: "hi", rawBody: "hi", visible: true, ...more }),
  joined: (more: object = {}) => hook("USER_JOINED", { user, ...more }),
  started: (more: object = {}) => hook("STREAM_STARTED", { name: "Harbour TV", streamTitle: "Tides", ...more }),
  stopped: (more: object = {}) => hook("STREAM_STOPPED", { name: "Harbour TV", streamTitle: "Tides", ...more }),
  renamed: () => hook("NAME_CHANGE", { user, newName: "calm-seal" }),
  titled: () => hook("STREAM_TITLE_UPDATED", { name: "Harbour TV", streamTitle: "Low tide" }),
  bot: () => hook("CHAT", { user: { ...user, isBot: true }, body: "beep", visible: true }),
};
