/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "60a001876c83ce73b31b50d0faf20f31f6d85eb8f939ee1e485c2ad594c335d8";
