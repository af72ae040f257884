/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "ad71b381aad622e87ddaa7db866699dd47681559d11776db7917163682f75243";
