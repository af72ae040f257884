/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "67e5955739e4b36bcf73bae38743bb3dde784703c809784f048e3bb5808eae00";
