/** PNG without a library: what browsers make of a page is read, and written with few colours so that it is small. */
import { crc32, deflateSync, inflateSync } from "node:zlib";

/** Rows of red, green and blue, a byte each. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const COLOURS = 256;
/** The most frequent colours, which stay as they are. */
const SURFACES = 12;
/** Pixels of a side of what is compared: edges and letters are drawn a little otherwise by each browser. */
const BLOCK = 20;
/** By how much the mean of a channel in a block may differ, of 255. */
const SHADE = 20;

function chunks(png: Buffer): [type: string, data: Buffer][] {
  const found: [string, Buffer][] = [];
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    found.push([png.toString("latin1", at + 4, at + 8), png.subarray(at + 8, at + 8 + length)]);
    at += length + 12;
  }
  return found;
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  if (filter !== 4) return 0;
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** @throws Error for a PNG that is not of 8 bits a channel and in one pass. */
export function decoded(png: Buffer): Picture {
  const all = chunks(png);
  const of = (type: string) => all.filter(([name]) => name === type).map(([, data]) => data);
  const head = of("IHDR")[0]!;
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  const channels = { 2: 3, 3: 1, 6: 4 }[head[9]!];
  if (head[8] !== 8 || channels === undefined || head[12] !== 0) throw new Error("this PNG is of another kind");
  const bytes = inflateSync(Buffer.concat(of("IDAT")));
  const stride = width * channels;
  const raw = new Uint8Array(height * stride);
  for (let y = 0, at = 0; y < height; y++) {
    const filter = bytes[at++]!;
    for (let x = 0; x < stride; x++) {
      const here = y * stride + x;
      const left = x >= channels ? raw[here - channels]! : 0;
      const up = y > 0 ? raw[here - stride]! : 0;
      const corner = y > 0 && x >= channels ? raw[here - stride - channels]! : 0;
      raw[here] = bytes[at++]! + predicted(filter, left, up, corner);
    }
  }
  const palette = of("PLTE")[0];
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = palette ? palette[3 * raw[i]! + c]! : raw[channels * i + c]!;
  }
  return { width, height, rgb };
}

/** The upper part of a picture. */
export function cropped({ width, height, rgb }: Picture, most: number): Picture {
  const rows = Math.min(height, most);
  return { width, height: rows, rgb: rgb.subarray(0, 3 * width * rows) };
}

/** The most frequent colours. */
function paletteOf({ rgb }: Picture): number[] {
  const counts = new Map<number, number>();
  for (let i = 0; i < rgb.length; i += 3) {
    const colour = (rgb[i]! << 16) | (rgb[i + 1]! << 8) | rgb[i + 2]!;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const ordered = [...counts].sort((a, b) => b[1] - a[1]).map(([colour]) => colour);
  const surfaces = ordered.slice(0, SURFACES);
  // Of the shades between them, no two that nobody tells from each other.
  const shades = new Map<number, number>();
  for (const colour of ordered.slice(SURFACES)) {
    const near = colour & 0xc0c0c0;
    if (shades.size < COLOURS - SURFACES && !shades.has(near)) shades.set(near, colour);
  }
  return [...surfaces, ...shades.values()];
}

function chunk(type: string, data: Uint8Array): Buffer {
  const whole = Buffer.alloc(data.length + 12);
  whole.writeUInt32BE(data.length, 0);
  whole.write(type, 4, "latin1");
  whole.set(data, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, 8 + data.length)), 8 + data.length);
  return whole;
}

/** A PNG of at most 256 colours. */
export function reduced(picture: Picture): Buffer {
  const { width, height, rgb } = picture;
  const palette = paletteOf(picture);
  const nearest = new Map<number, number>();
  const distance = (a: number, b: number) => {
    return Math.hypot((a >> 16) - (b >> 16), ((a >> 8) & 255) - ((b >> 8) & 255), (a & 255) - (b & 255));
  };
  const indexOf = (colour: number) => {
    const known = nearest.get(colour);
    if (known !== undefined) return known;
    let best = 0;
    for (let i = 1; i < palette.length; i++) {
      if (distance(palette[i]!, colour) < distance(palette[best]!, colour)) best = i;
    }
    nearest.set(colour, best);
    return best;
  };
  const rows = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = 3 * (y * width + x);
      rows[y * (width + 1) + 1 + x] = indexOf((rgb[i]! << 16) | (rgb[i + 1]! << 8) | rgb[i + 2]!);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Uint8Array.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  const data = deflateSync(rows, { level: 9, memLevel: 9 });
  return Buffer.concat([
    ...[SIGNATURE, chunk("IHDR", head), chunk("PLTE", colours)],
    ...[chunk("IDAT", data), chunk("IEND", new Uint8Array())],
  ]);
}

/** (blocks x channels) means. */
function means({ width, height, rgb }: Picture): Float64Array {
  const [across, down] = [Math.floor(width / BLOCK), Math.floor(height / BLOCK)];
  const sums = new Float64Array(3 * across * down);
  for (let y = 0; y < down * BLOCK; y++) {
    for (let x = 0; x < across * BLOCK; x++) {
      const block = Math.floor(y / BLOCK) * across + Math.floor(x / BLOCK);
      for (let c = 0; c < 3; c++) sums[3 * block + c]! += rgb[3 * (y * width + x) + c]! / BLOCK ** 2;
    }
  }
  return sums;
}

/** The share of two pictures' blocks that differ, of those that both have; 1 where their widths differ. */
export function difference(a: Picture, b: Picture): number {
  if (a.width !== b.width) return 1;
  const height = Math.min(a.height, b.height);
  const [one, other] = [means(cropped(a, height)), means(cropped(b, height))];
  let differ = 0;
  for (let i = 0; i < one.length; i += 3) {
    if ([0, 1, 2].some((c) => Math.abs(one[i + c]! - other[i + c]!) > SHADE)) differ++;
  }
  return differ / (one.length / 3);
}
