/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "8e5ab6725fbcf99debecc5a811e9cfa171604b768d97828f0038ffffaa31a7e0";
