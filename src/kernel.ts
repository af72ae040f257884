/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "bcd4be5cd396138a16a68c6fb7ff006c308bee61062ad33e39b3e90b8980f50a";
