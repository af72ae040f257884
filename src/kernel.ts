/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "a21471591b1387c18b9497b0ba22700d27ced49d86bd4cd6ba8284f0fcbfefa9";
