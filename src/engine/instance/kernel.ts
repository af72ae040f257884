/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "0a5e1b8c332025c3cc27e64b14b9143c5cda680491bfb53c9e70e1bfd616d92e";
