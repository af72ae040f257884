/** What a page may load: its own files, and no other host's. */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  ...["connect-src", "worker-src", "manifest-src"].map((kind) => `${kind} 'self'`),
  ...["base-uri", "form-action"].map((kind) => `${kind} 'none'`),
].join("; ");
