/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "d0da57c8b0f6bc7d57b5ddf76f7eb0ae3a38ad9eb113f5e4d3d7e1dfe79ee234";
