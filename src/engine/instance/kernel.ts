/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "8c9e66c3cbb9a593e433cd6211d51afeb84f750ac07c82b4707aea691532e67d";
