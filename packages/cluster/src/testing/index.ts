export { DriveClient, type NewUpload, type UploadOptions } from "./drive-client.ts";
export { type Percentiles, percentilesOf } from "./percentiles.ts";
export { familyOf } from "./process-family.ts";
export { type RandomFile, randomFile } from "./random-file.ts";
export { type SecondConsole, startSecondConsole } from "./second-console.ts";
export { type Answer, SessionClient } from "./session-client.ts";
export { type NewTestCluster, OWNER, startNewTestCluster, startTestCluster, type TestCluster } from "./test-cluster.ts";
