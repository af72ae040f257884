/** Hands bytes or text to the reader as a file. */
export function download(name: string, content: Uint8Array | string, type = "application/octet-stream"): void {
  const url = URL.createObjectURL(new Blob([content as BlobPart], { type }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  // Firefox reads the bytes after the click.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
