/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "4483c1e54296a6842073660c1991d04a106696486222d71f712558e8bacb2755";
