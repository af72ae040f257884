/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "34d68eeeb67270601f40a3766d8e3277631d93902d9b7858dd6e76276f278812";
