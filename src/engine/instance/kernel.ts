/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "c824597ed606e5d6bb6e10d122f2bfa57b2afeae6ac3d36a2c67c95f47bb6930";
