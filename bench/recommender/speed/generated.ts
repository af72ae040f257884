/** A log that is written nowhere. */

const STREAMS = 500;
/** Streams that go on air in turn. */
const ROOMS = 5000;
const STREAMERS = 50;
const USERS = 2000;
/** Events between two of one stream going off and on air. */
const TURN = 100;
/** Events in one piece. */
const PIECE = 512;

/**
 * The bytes of a log as JSON lines, made as they are read: the same at every reading, in order of time, of 2,000 users
 * and 5,000 streams, 500 of them on air.
 *
 * @param n - Events.
 */
export function* generatedLog(n: number): Generator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  const streams = Array.from({ length: STREAMS }, (_, i) => i);
  let [state, made, text] = [1, 0, ""];
  const below = (bound: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  const onAir = (time: number, stream: number) => {
    const fields = `"stream":"s${stream}","streamer":"r${stream % STREAMERS}","category":"c${stream % 40}"`;
    return `{"kind":"on_air","time":${time},${fields}}\n`;
  };
  const event = (i: number): string => {
    const time = 1_700_000_000_000 + 40 * i;
    if (i < STREAMS) return onAir(time, i);
    const place = below(STREAMS);
    const turn = i % TURN;
    const here = Math.floor(i / TURN) % STREAMS;
    if (turn === 0) return `{"kind":"off_air","time":${time},"stream":"s${streams[here]}"}\n`;
    if (turn === 1) {
      streams[here] = (STREAMS + Math.floor(i / TURN)) % ROOMS;
      return onAir(time, streams[here]!);
    }
    const pair = `"user":"u${below(USERS)}","stream":"s${streams[place]}"`;
    if (turn % 3 === 0) return `{"kind":"click","time":${time},${pair}}\n`;
    if (turn % 3 === 1) return `{"kind":"watch","time":${time},${pair},"watchMs":${1000 + below(9000)}}\n`;
    return `{"kind":"impression","time":${time},${pair},"decision":"d${i}","position":${turn % 6}}\n`;
  };
  while (made < n) {
    text = "";
    for (const end = Math.min(n, made + PIECE); made < end; made++) text += event(made);
    yield encoder.encode(text);
  }
}
