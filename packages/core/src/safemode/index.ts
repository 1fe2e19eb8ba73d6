export { createSafemode, type Safemode, type SafemodeOptions, type SafemodeStatus } from "./safemode.ts";
