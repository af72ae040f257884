/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "1f94f7fdf2b0a2c077b36d9bdfe625c6296416136e74cca4eb12b93e0aa003d5";
