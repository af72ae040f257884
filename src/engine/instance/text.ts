/** The bytes of a module from the string that assembly/text.mjs wrote for it. */
export function decoded(text: string): Uint8Array<ArrayBuffer> {
  const codes: number[] = [];
  let high = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = (code + (code < 92 ? 30 : 29)) % 90;
    if (digit > 87) high = (digit - 87) * 88;
    else {
      codes.push(high + digit - 5);
      high = 0;
    }
  }
  return Uint8Array.from(codes);
}
