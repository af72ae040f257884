/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "ea1d8821814033160c8728f0b6af0654821447d51a7e099bc13f4d2c9023cb27";
