/** SHA-256 of the WebAssembly that this package ships; written by `npm run build:hash`, held to by a test. */
export const KERNEL = "d65f76adb658cdd2257f36e3666df5632a284aad5bbb991c099b28d0e116afe0";
