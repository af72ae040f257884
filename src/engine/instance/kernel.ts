/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "5ad327eadd7d5a3d61148f12d1d4d75854e6dcf986566bd8d641df6fb90dff23";
