import type { CatalogStream } from "./catalog.js";
import type { UserProfile } from "./profile.js";

/** One place in this many goes to the streams that went on air last, whom nobody knows yet. */
const NEWEST_SHARE = 8;

/** The `count` streams of largest `key` that are not in `taken`, in no order. */
function largest(
  streams: readonly CatalogStream[],
  count: number,
  key: (stream: CatalogStream) => number,
  taken: ReadonlySet<CatalogStream>,
): CatalogStream[] {
  // A heap whose root is the worst kept: most streams are turned away by one comparison.
  const heap: CatalogStream[] = [];
  for (const stream of streams) {
    if (taken.has(stream)) continue;
    if (heap.length < count) {
      heap.push(stream);
      if (heap.length === count) for (let i = count >> 1; i >= 0; i--) siftDown(heap, i, key);
    } else if (count > 0 && key(stream) > key(heap[0]!)) {
      heap[0] = stream;
      siftDown(heap, 0, key);
    }
  }
  return heap;
}

function siftDown(heap: CatalogStream[], start: number, key: (stream: CatalogStream) => number): void {
  let i = start;
  for (;;) {
    let least = i;
    for (let child = 2 * i + 1; child <= 2 * i + 2; child++) {
      if (child < heap.length && key(heap[child]!) < key(heap[least]!)) least = child;
    }
    if (least === i) return;
    [heap[i], heap[least]] = [heap[least]!, heap[i]!];
    i = least;
  }
}

/**
 * The streams worth scoring: all when there are at most `max`; else the user's own past streamers, the newest (an
 * eighth), and the most viewed for the rest.
 */
export function retrieve(
  streams: readonly CatalogStream[],
  profile: UserProfile,
  max: number,
): readonly CatalogStream[] {
  if (streams.length <= max) return streams;
  const chosen = new Set<CatalogStream>();
  for (const stream of streams) {
    if (chosen.size < max && profile.pairs.has(stream.streamer)) chosen.add(stream);
  }
  const add = (count: number, key: (stream: CatalogStream) => number) => {
    for (const stream of largest(streams, Math.min(count, max - chosen.size), key, chosen)) chosen.add(stream);
  };
  add(Math.floor(max / NEWEST_SHARE), (stream) => stream.startedAt);
  add(max, (stream) => stream.viewers);
  return [...chosen];
}
