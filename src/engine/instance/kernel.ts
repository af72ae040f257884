/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "cfa54ec3d61e487ba0be248f40a4ed2cedb540a3b58b2c395d2a9b3e6747c6db";
