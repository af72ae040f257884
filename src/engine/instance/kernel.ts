/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "0dc6ddc329bf81a48ebdcdace21e2653b58a48763af5ddcd837c812a154fb655";
