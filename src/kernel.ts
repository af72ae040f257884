/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "ad595c29402048b7ade49cb4b6f0fcf28facb0168b81ae508d39b34fb25a6bcc";
