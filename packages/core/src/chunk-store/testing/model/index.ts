export { liveThrough } from "./lives.ts";
