/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "c4da5294c1a47d8761e5e93d7cb1e86a9067f2cf03c9731a98cadf6af40aa54a";
