/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "f767b4a237e607ac1bb63c572ce20e1e8cf668adba24d8b8540a08b1c80a96a8";
