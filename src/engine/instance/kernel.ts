/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "943e5e817820d01cd13a0ae3e2344a5248dfd495ce23c4168c73dfabc5683597";
