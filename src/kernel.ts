/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "bfcf7e30e5f4ddf6a8889faffa8b76027bc9ea0ce63178141cfcc823b9116acb";
