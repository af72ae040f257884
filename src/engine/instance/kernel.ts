/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "436d6dcf0d26ca1cbf8fa712b054e6463575f29bb3859789ee4ed27615a0b77c";
