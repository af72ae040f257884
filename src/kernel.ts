/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "eded9a88da69189e6ff4ab840a6f561abc0fbd1268bd45dba4a18b7711014ae0";
