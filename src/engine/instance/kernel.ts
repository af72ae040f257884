/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "765439277ba2908109d1626fd91d08d76dc7ff3fcd37a6ae424b03b0af1ca962";
