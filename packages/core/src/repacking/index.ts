export { createRepacker, type RepackerOptions } from "./repacker.ts";
