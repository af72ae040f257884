import { EventError } from "../../protocol/index.js";

/** Bytes of a packet before its body. */
const HEAD = 16;
/** The operation of a packet with a message; other packets answer the client. */
const MESSAGE = 5;
/** Formats of a body: JSON, or packets in zlib. */
const PLAIN = 0;
const ZLIB = 2;
/** Most bytes of an inflated packet. */
const INFLATED = 1 << 23;

function refuse(must: string): EventError {
  return new EventError("", `a packet must ${must}`);
}

/** The bytes of a zlib stream. */
async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw refuse("hold zlib data if it is marked so");
    });
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    parts.push(value);
    length += value.length;
    if (length <= INFLATED) continue;
    await reader.cancel();
    throw refuse(`inflate to at most ${INFLATED} bytes`);
  }
}

/**
 * The messages of a binary frame of Bilibili's push channel, for `PlatformConnector.message`; empty for the answer to a
 * heartbeat.
 *
 * A frame holds packets, one after the other (https://open-live.bilibili.com/document/657d8e34-f926-a133-16c0-300c1afc6e6b):
 * the packet's length (4 bytes, big endian), its header's length (2), the format of its body (2), its operation (4), a
 * sequence number (4), and the body: JSON, or packets in zlib.
 *
 * @throws EventError for invalid bytes, and for packets nested more than once.
 */
export async function parseBilibiliFrame(frame: Uint8Array): Promise<unknown[]> {
  return messagesOf(Uint8Array.from(frame), 0);
}

async function messagesOf(bytes: Uint8Array<ArrayBuffer>, depth: 0 | 1): Promise<unknown[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: unknown[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = at + HEAD <= bytes.length ? view.getUint32(at) : 0;
    if (length < HEAD || at + length > bytes.length || view.getUint16(at + 4) !== HEAD) {
      throw refuse("have its length, of which 16 bytes are its header");
    }
    const [version, operation] = [view.getUint16(at + 6), view.getUint32(at + 8)];
    const body = bytes.subarray(at + HEAD, at + length);
    at += length;
    if (operation !== MESSAGE) continue;
    if (version === PLAIN) messages.push(parse(body));
    else if (version === ZLIB && depth === 0) messages.push(...(await messagesOf(await inflated(body), 1)));
    else throw refuse("be JSON, or packets in zlib");
  }
  return messages;
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw refuse("hold JSON in UTF-8");
  }
}
