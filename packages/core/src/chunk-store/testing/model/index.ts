export { liveThrough } from "./lives.ts";
export { modelledStores } from "./stores.ts";
