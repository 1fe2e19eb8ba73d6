export { publicShape, type PublicErrorData, publicError } from "./errors.ts";
export { quickTransformer } from "./transformer.ts";
