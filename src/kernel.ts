/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "b109ee8c2d1e4fcb07e3d317f980c0c97ab9ce3cb191d31ee84635368d082ccc";
