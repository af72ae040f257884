/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "3122a1e86465564c45a11f888ee9b203c8a18ee38a86043074462b1a7ce87004";
