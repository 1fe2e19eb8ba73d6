export { bytesInWords, capitalised, chunksCounted, chunksHave, inWords, listed, ordinal, secondsInWords } from "./words.ts";
