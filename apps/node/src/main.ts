import { setFlagsFromString } from "node:v8";

// Nearly all garbage of a node is the network's buffers, which are freed when the young generation has filled up. Kept at
// its first size it fills up often, and the process stays a third smaller under load. Loading the program would let it grow.
setFlagsFromString("--semi-space-growth-factor=1");

await import("./service.ts");
