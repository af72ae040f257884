/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "39d1c45db973ecabd7ea47367baf2b6b574ad5d57ba68cb972ca87aa7151b8ad";
