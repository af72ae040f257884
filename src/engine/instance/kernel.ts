/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "49eba8506088dbd074079dd36b53a2cb7c355f81d09e77836088a0b1f01a5431";
