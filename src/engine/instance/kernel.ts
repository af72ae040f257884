/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "b272c267ac471fd58e802a00ba197d1e495dbb9f63522f92f06c9c4af10c9c6f";
