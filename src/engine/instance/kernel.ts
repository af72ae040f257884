/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "9e182e39ef48cc85f80501f34621c46e77cf3e36fc60bbfb121d9e26f729c40a";
