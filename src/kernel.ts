/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "dcb98a501cd34f16c6e559a8862138442d2e41ec22d2671f747fc2b7c9dede0c";
