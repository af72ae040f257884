/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "980fe1afb52011ebc9793929adbe6d7809fcea58cfdca2810df46da23b23565c";
