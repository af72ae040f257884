/** Sources of candidates, in the order of their choice: a stream of several sources counts for the first. */
export const SOURCES = ["favourite", "friend", "newest", "similar", "popular"] as const;

/** The source of a candidate; `all`: so few streams were possible that all were candidates. */
export type Source = (typeof SOURCES)[number] | "all";
