/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "e4801c380e9d3213eba3101b42dfc283b254318b0ebc82f28762f99eb2e92020";
