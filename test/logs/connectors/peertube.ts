/** What PeerTube answers, written by hand in the documented shapes; no such instance or channel exists. */

/** The nth made-up UUID. */
export const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

/** A video of a list. */
export function video(n: number, more: object = {}): object {
  return {
    id: n,
    uuid: uuid(n),
    shortUUID: "kkGMgK9ZtnKfYAgnEtQxbv",
    name: `Stream ${n}`,
    isLive: true,
    isLocal: true,
    category: { id: 15, label: "Science & Technology" },
    licence: { id: null, label: "Unknown" },
    language: { id: "fr", label: "French" },
    privacy: { id: 1, label: "Public" },
    nsfw: false,
    truncatedDescription: "All about it",
    duration: 0,
    views: 40,
    viewers: 12,
    likes: 3,
    dislikes: 0,
    publishedAt: "2026-06-30T11:30:00.000Z",
    channel: { id: 4, name: "lab", displayName: "The lab", host: "video.example", url: "https://video.example/c/lab" },
    account: { id: 3, name: "ann", displayName: "Ann", host: "video.example" },
    ...more,
  };
}

/** `GET /api/v1/videos?isLive=true`. */
export function list(videos: readonly unknown[], total: number = videos.length): object {
  return { total, data: videos };
}
