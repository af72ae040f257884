/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "e1d74857cf61928743de8062fe7ac2c14004bcffcd31de4ad8bad16cbbfca3ce";
