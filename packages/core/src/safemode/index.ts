export { createSafemode, type Safemode, type SafemodeOptions, type SafemodeReader, type SafemodeStatus } from "./safemode.ts";
