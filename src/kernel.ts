/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "7ad454138c41e8b994f0fe48c436592bf636ecafa225f618be46b8f282460d02";
