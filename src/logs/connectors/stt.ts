import { EventError } from "../../protocol/index.js";

/** Most pairs of a message, and its longest text. */
const PAIRS = 512;
const TEXT = 1 << 16;
/** Bytes of a packet before its text: its length twice, its type, two unused bytes. */
const HEAD = 12;
/** The type of packets from the server. */
const FROM_SERVER = 690;

/**
 * Reads a message of Douyu's push channel, `type@=chatmsg/rid@=1/txt@=hi/`: pairs of key and value, where `@S` stands for
 * `/` and `@A` for `@`. Nested lists and objects stay text.
 *
 * @throws EventError for any other text.
 */
export function parseDouyuMessage(text: unknown): Record<string, string> {
  if (typeof text !== "string" || text.length > TEXT) {
    throw new EventError("", `a message must be text of at most ${TEXT} characters`);
  }
  const pairs = text.split("/");
  if (pairs.at(-1) === "") pairs.pop();
  if (pairs.length > PAIRS)
    throw new EventError("", `a message must have at most ${PAIRS} fields, got ${pairs.length}`);
  return Object.fromEntries(
    pairs.map((pair, i) => {
      const middle = pair.indexOf("@=");
      if (middle <= 0) throw new EventError(String(i), `field ${i} of a message must be key@=value`);
      return [unescaped(pair.slice(0, middle)), unescaped(pair.slice(middle + 2))];
    }),
  );
}

/** In one pass: `@AS` is an escaped `@` before an S. */
function unescaped(text: string): string {
  return text.replace(/@[AS]/g, (escaped) => (escaped === "@S" ? "/" : "@"));
}

/**
 * Cuts the bytes of Douyu's push channel into the texts of its messages; pieces may be cut anywhere.
 *
 * A packet is its length (4 bytes, little endian, without these four), the same again, its type (2 bytes, 690 from the
 * server), two unused bytes, and UTF-8 text with a zero at its end.
 */
export class DouyuPackets {
  #rest = new Uint8Array();

  /**
   * The texts of the messages that the bytes complete.
   * @throws EventError for invalid packets: then reopen the channel.
   */
  push(bytes: Uint8Array): string[] {
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    const view = new DataView(all.buffer);
    const texts: string[] = [];
    let at = 0;
    for (; all.length - at >= HEAD; ) {
      const length = view.getUint32(at, true);
      const isPacket = length === view.getUint32(at + 4, true) && length > HEAD - 4 && length <= TEXT + HEAD;
      if (!isPacket) throw new EventError("", "the bytes of a channel must be packets with their length twice");
      const end = at + 4 + length;
      if (end > all.length) break;
      if (view.getUint16(at + 8, true) === FROM_SERVER)
        texts.push(new TextDecoder().decode(all.subarray(at + HEAD, endOfText(all, at + HEAD, end))));
      at = end;
    }
    this.#rest = all.slice(at);
    return texts;
  }
}

/** Where a text ends before its zeros. A regular expression would take quadratic time for zeros before other bytes. */
function endOfText(bytes: Uint8Array, start: number, end: number): number {
  let last = end;
  while (last > start && bytes[last - 1] === 0) last--;
  return last;
}
