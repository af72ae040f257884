/** 32 bits of a text, the same everywhere: FNV-1a over its UTF-16 units, then the finaliser of MurmurHash3. */
export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * 64 bits of a text in two halves, the same everywhere: two chains of FNV-1a's kind with a finaliser. Texts made to
 * collide exist: use it to tell apart, never to protect.
 *
 * @param key - Two words that nobody outside knows, where texts come from outside: whoever does not know them cannot
 *   make texts that collide. Default 0 and 0.
 */
export function hashText64(text: string, key: ArrayLike<number> = [0, 0]): [low: number, high: number] {
  let a = 0x811c9dc5 ^ key[0]!;
  let b = 0x9e3779b9 ^ key[1]!;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b);
    b ^= b >>> 15;
  }
  return [finished(a ^ Math.imul(b, 0xc2b2ae35)), finished(b ^ Math.imul(a, 0x27d4eb2f))];
}

function finished(bits: number): number {
  let h = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
