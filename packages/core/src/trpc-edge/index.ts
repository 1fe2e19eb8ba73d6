export { publicShape, type PublicErrorData, publicError } from "./errors.ts";
