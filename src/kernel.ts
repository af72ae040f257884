/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "1426b8189da9badcb1175a8f59fbba890b0828406a0e95f408ea1dcee10f173d";
