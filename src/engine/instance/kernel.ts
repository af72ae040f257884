/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "602e16a56ff8497287c53fb3b7a22c548a2ea1daed251ad33390b363962932e9";
