/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "5f4279b212f61c4bd229fc8aae5f39e6b1ca59081b45ca31deafe7a3d726e7f3";
