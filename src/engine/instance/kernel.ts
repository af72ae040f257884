/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "1e7587c4d521463767eae39eb701afda9a0f752432c4be27cd1960dd8af57fd3";
