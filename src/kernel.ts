/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "fc243faf35121fb76cd72c4669308db7b533e34ab3bc1c92d2ba3467c35ae916";
