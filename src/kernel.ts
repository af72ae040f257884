/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "1adcbdab5b4165b2f2a61840535a5bb2c72ff777099a9f3db485be4b5d298fb7";
