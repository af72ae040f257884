/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "e0ceb5960f93ba91cae88b0ade9235a3112e662e11d68aeefcbaecfdc9112f0e";
