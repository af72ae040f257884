/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "72f4feeaef2c0929c72696ab5ed5dee0d54fe0d2af44f227c4ec350a385b2699";
