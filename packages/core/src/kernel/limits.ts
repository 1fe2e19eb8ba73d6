/** Every limit of the system, in one place, with its unit in its name. What the environment can change is in each process's `env.ts`; the defaults are here. */
import { DAY_MS, GiB, HOUR_MS, KiB, MiB, MINUTE_MS, SECOND_MS } from "./units.ts";

export const limits = {
  /** A chunk is any length from 1 byte to this. */
  chunkBytesMax: 4 * MiB,
  replicas: 3,
  replicasMax: 9,
  writeQuorum: 2,

  heartbeatIntervalMs: 5 * SECOND_MS,
  nodeDownAfterMs: 15 * SECOND_MS,
  /** How long a leading controller that falls silent keeps others waiting. Well under the time to call a node down. */
  leaderLeaseMs: 4 * SECOND_MS,
  /** How old a gateway's view of the nodes may become. */
  membershipRefreshMs: 1 * SECOND_MS,

  /** A node stops accepting chunks when less than this share of its disk, or this much, is free; deletes always have room. */
  reserveRatio: 0.05,
  reserveBytesMin: 1 * GiB,
  /** What the files grow to in which a segment store keeps its chunks, and how many of them it keeps open. */
  segmentBytes: 128 * MiB,
  segmentFilesOpenMax: 256,
  /** Chunks whose checks it remembers, each 4 bytes for 64 KiB. */
  chunkChecksKnownMax: 4_096,
  /** What a segment store moves at most to win back space, and while users are served; how often it looks. */
  compactionBytesPerSecond: 64 * MiB,
  compactionBytesPerSecondMin: 8 * MiB,
  compactionIntervalMs: 5 * SECOND_MS,

  /** Buffers of all uploads of a gateway together. */
  uploadBufferBytes: 64 * MiB,
  /** Chunks of one upload that may be on their way to the nodes at once. */
  uploadChunksInFlight: 4,
  /** While so much of a body is still to come, it is read past HTTP, and its connection takes no request after it. */
  uploadBorrowBytesMin: 16 * MiB,
  /** Chunks of one upload that are stored within this time are committed together. */
  uploadCommitIntervalMs: 100,
  /** Contents of small files that make up one chunk at most, and how long each may be: no pack is as long as a chunk can be. */
  packContentsMax: 60,
  packedBytesMax: 64 * KiB,
  /** How long contents wait for the pack before theirs. */
  packPatienceMs: 50,
  /** A pack of which files need no more than this share is written anew without the rest. */
  repackShare: 1 / 2,
  /** How long files that are made together wait for the last copies of their chunks. */
  lastCopyMs: 5,
  uploadBytesMax: 16 * 1024 * GiB,
  /** Unfinished uploads of one drive. */
  uploadsOpenMax: 1_000,
  /** A request that adds less to an upload, without ending it, is a short step. One drive may make so many at once, and so many a second. */
  uploadStepBytesMin: 64 * KiB,
  uploadShortStepsMax: 1_000,
  uploadShortStepsPerSecond: 10,
  uploadExpiresAfterMs: 7 * DAY_MS,
  /** How long a request waits for another one to let go of the same upload. */
  uploadLockTimeoutMs: 15 * SECOND_MS,
  /** A client that sends nothing for so long is taken for gone: what it sent is stored. */
  uploadIdleTimeoutMs: 30 * SECOND_MS,
  /** While other uploads wait for a buffer, none keeps one longer than this to fill it: it stores a short chunk instead. */
  uploadBufferHoldMs: 2 * SECOND_MS,
  /** How long the parts of a concatenated upload stay, in case the answer to the concatenation was lost. */
  uploadPartialKeepMs: 1 * DAY_MS,
  uploadSweepIntervalMs: 5 * SECOND_MS,

  /** Buffers of all downloads of a gateway together. */
  downloadBufferBytes: 96 * MiB,
  /** Besides, for whole chunks from nodes that cannot be asked for the part that is needed. */
  downloadSpareBytes: 16 * MiB,
  /** Short chunks that a gateway keeps because they are asked for again and again: how short, how many bytes and chunks, and how many at once are fetched to be kept. */
  hotChunkBytesMax: 256 * KiB,
  hotChunksBytes: 16 * MiB,
  hotChunksMax: 4_096,
  hotChunksUnderWayMax: 16,
  /** How long a download that has begun waits for a copy, or for the database, to come back before it is cut off. */
  downloadPatienceMs: 30 * SECOND_MS,
  /** Chunks of one download fetched ahead of what its reader has taken. */
  downloadReadAhead: 3,
  /** Ranges one request may ask for; more are answered with the whole file. */
  downloadRangesMax: 32,

  nodeRequestTimeoutMs: 30 * SECOND_MS,
  nodeConnectTimeoutMs: 2 * SECOND_MS,
  /** A node that has not made a copy durable after this is passed over: another one is asked as well. */
  replicaPatienceMs: 3 * SECOND_MS,
  /** The least that is left to the last copies once the quorum has answered; more when the quorum itself took long. */
  replicaTailPatienceMs: 1 * SECOND_MS,
  /** How long a gateway leaves a node alone that failed, and how long at most as failures repeat; the latter while the controller hears it. */
  nodeAvoidMinMs: 1 * SECOND_MS,
  nodeAvoidMaxMs: 30 * SECOND_MS,
  nodeAvoidHeardMaxMs: 2 * SECOND_MS,
  /** Another copy is asked as well when a read takes longer than nearly all do: at least this, at most this, and this before anything is known. */
  readHedgeMinMs: 75,
  readHedgeMaxMs: 2 * SECOND_MS,
  readHedgeUnknownMs: 300,
  /** Second requests, for each read, beyond a small reserve: helping must not double the load. */
  readHedgesPerRead: 0.05,
  readHedgesSavedMax: 10,
  /** A node that said nothing for so long does not hold up a reader, whatever the reserve. */
  readHangMs: 500,
  /** HTTP connections of one gateway to one node. */
  nodeConnectionsMax: 8,
  /** Chunk streams of one gateway to one node: for reads, for reads of parts, for large chunks written and for small ones; and what counts as small. */
  nodeReadStreams: 4,
  nodePartStreams: 2,
  nodeLargeWriteStreams: 4,
  nodeSmallWriteStreams: 1,
  smallChunkBytesMax: 64 * KiB,
  /** Requests under way on one chunk stream. */
  nodeStreamRequestsMax: 64,
  /** How long a node may take to open a chunk stream. */
  nodeStreamOpenMs: 8 * SECOND_MS,
  /** A chunk stream that nobody uses is closed by the gateway after this: before the node would. */
  nodeStreamIdleMs: 15 * SECOND_MS,
  /** How long a gateway speaks HTTP alone with a node that opened no chunk stream. */
  nodeStreamRetryMs: 30 * SECOND_MS,
  /** What a node spends on one request at most, waiting for its turn included; a connection that crawls is cut off. */
  nodeExchangeTimeoutMs: 60 * SECOND_MS,
  /** Chunks that a node holds in memory at once, on their way in and on their way out; more requests wait their turn. */
  nodeReceiveBytes: 16 * MiB,
  nodeSendBytes: 16 * MiB,

  /** Memory for chunks that a node fetches from others or verifies, and for those that others fetch: healing never takes from readers and writers. */
  nodeHealingBytes: 16 * MiB,
  nodeLendBytes: 16 * MiB,
  /** Memory of the scrub, and how many chunks it reads at once: enough for the speed of a disk. */
  nodeScrubBytes: 8 * MiB,
  scrubChunksAtOnce: 2,
  /** Chunks that a disk moves from files into segments at once, within the memory of the scrub. */
  migrationChunksAtOnce: 16,
  /** A pass of the scrub takes this long at its own speed, which is never less than the minimum, and rests this long after it. */
  scrubPassMs: 14 * DAY_MS,
  scrubBytesPerSecondMin: 1 * MiB,
  scrubRestMs: 7 * DAY_MS,
  scrubCorruptListed: 100,
  /** How long a node waits for one source of a chunk before it tries the next. */
  replicateSourceTimeoutMs: 8 * SECOND_MS,
  /** Copies to fetch a chunk from that one command may name. */
  replicateSourcesMax: 6,
  /** Chunks of one command to a node, which is so over before its caller gives up. Those to restore are read whole. */
  trashChunksMax: 500,
  restoreChunksMax: 100,
  purgeChunksMax: 10_000,

  /** A node that is down for longer gets its copies replaced. */
  repairAfterMs: 10 * MINUTE_MS,
  /** How often healing looks at the nodes and at what an operator wants of it. */
  healingIntervalMs: 1 * SECOND_MS,
  /** However much users suffer, healing goes on at this rate. */
  healingBytesPerSecondMin: 4 * MiB,
  /** While there are users, healing begins at this rate, and doubles it each second as long as they do not suffer. */
  healingBytesPerSecondStart: 64 * MiB,
  /** How often a gateway says what its users feel, and how long that counts. */
  feltIntervalMs: 1 * SECOND_MS,
  feltFreshMs: 5 * SECOND_MS,
  /**
   * Copies under way to, and from, one node: while one is on the network another is on the disk. More make nothing faster, and
   * whoever reads or writes there waits behind all of them.
   */
  healingCopiesPerNode: 2,
  /** Chunks in hand for each node: those that are copied, and as many that wait for their turn or are being written down. */
  healingChunksPerNode: 6,
  /** How long copies are gathered before they are written down together; they hold up nobody meanwhile. */
  healingGatherMs: 50,
  /** Copies that one transaction writes down at most. */
  healingCopiesPerCommit: 256,
  /** A younger chunk's missing copy is most likely on its way from the gateway. */
  healingSettleMs: 10 * SECOND_MS,
  /** Candidates read at once. */
  healingPageChunks: 256,

  /** Copies that one call may report to the controller, and how many it has read back at once. */
  replicaReportsMax: 64,
  replicaReportsAtOnce: 4,

  /** How far a signed request's time may be from ours, and how long its nonce is remembered. */
  signatureWindowMs: 30 * SECOND_MS,
  /** Nonces a process remembers at most; beyond it the oldest requests are refused as expired. */
  signatureNoncesMax: 500_000,

  /** A statement that a person waits for. One that takes longer is ended, and told like a database that does not answer. */
  databaseStatementMs: 15 * SECOND_MS,
  /** A statement about very many rows, which nobody waits for. */
  databaseLongStatementMs: 600 * SECOND_MS,

  entryNameBytesMax: 255,
  folderDepthMax: 100,
  /** Entries that one request may move, trash or restore. */
  entriesPerRequestMax: 1_000,
  /** Entries that one transaction deletes forever, and those whose order is worked out at a time. */
  deleteBatchEntries: 1_000,
  deleteListEntries: 50_000,
  /** How long one request deletes forever before it says what is left; well within the time after which an idle connection is cut. */
  deletePatienceMs: 20 * SECOND_MS,
  /** How long what was trashed stays, in days, and how often to look for what is older. */
  trashKeepDays: 30,
  trashSweepIntervalMs: 1 * HOUR_MS,
  listPageMax: 1_000,
  /** Metadata of an upload, as sent. */
  uploadMetadataBytesMax: 8 * KiB,

  passwordCharactersMin: 8,
  passwordCharactersMax: 128,
  sessionExpiresAfterMs: 30 * DAY_MS,
  /** For so long after the password was given, what cannot be undone is done without asking for it again; tries to give it, per account. */
  confirmedForMs: 10 * MINUTE_MS,
  confirmTriesMax: 5,
  confirmTriesWindowMs: 60 * SECOND_MS,
  /** Wrong set-up codes that a process hears out before it asks for patience. */
  setupTriesMax: 10,
  setupTriesWindowMs: 60 * SECOND_MS,

  nodeSampleIntervalMs: 60 * SECOND_MS,
  nodeSampleKeepMs: 90 * DAY_MS,
  /** How long a chunk that nothing refers to is kept as it is, then as condemned, then in its node's trash. */
  gcGraceMs: 24 * HOUR_MS,
  /** More than this share of all chunks, and more than this many or this much, is not condemned before an operator has agreed. */
  gcBrakeShare: 0.01,
  gcBrakeChunksMin: 10_000,
  gcBrakeBytesMin: 10 * GiB,
  /** A copy that was asked for longer ago is no proof any more: the memory of an order to trash it may be gone. At most half of that memory. */
  chunkProofMs: 12 * HOUR_MS,
  /** How long a trashed chunk is remembered. */
  chunkTombstoneMs: 24 * HOUR_MS,
  /** How old a database that was set back must at least be for nodes to be sure to tell. */
  epochAdvanceMs: 5 * MINUTE_MS,
  /** Findings of each kind that a check of the whole cluster tells one by one. */
  fsckFindingsMax: 1_000,
  /** After this a command to a node is answered or dead: its signature has expired, and the node is done with what it took on. */
  nodeCommandLifeMs: 2 * MINUTE_MS,
  /** How long after it was announced in the chunk's row an order to trash may be sent, so that it is dead when the announcement runs out. */
  trashSendWithinMs: 10 * SECOND_MS,

  /** A simulated fault ends by itself; one that is meant to last is no simulation. */
  simulatedFaultSecondsMax: 3_600,
  /** Less than the time after which a node's request is cut off. */
  simulatedLatencyMsMax: 30 * SECOND_MS,
  simulatedDamageChunksMax: 100,
} as const;
