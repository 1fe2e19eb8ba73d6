/** Through the front door: every acknowledged file is there, byte for byte, and nothing else is. */
import type { Content, ExpectedFile, Expectations, Presence } from "../expectations.ts";
import { type CallResult, type ChaosDrive, isLost } from "../workload/drive.ts";
import { ContentCheck } from "../expectations.ts";

export interface FileFindings {
  versionsAcked: number;
  versionsLost: number;
  bytesLost: number;
  /** Files whose answers were lost, and what became of them. */
  unsureThere: number;
  unsureAbsent: number;
}

interface Entry {
  id: string;
  name: string;
  parentId: string;
  kind: string;
}

interface VersionRow {
  id: string;
}

const PAGE = 500;

/** Changes something: what is in the trash is taken out to be read. To be called when nothing else runs any more. */
export async function checkFiles(drive: ChaosDrive, expectations: Expectations, folderIds: readonly string[]): Promise<FileFindings> {
  const findings: FileFindings = { versionsAcked: 0, versionsLost: 0, bytesLost: 0, unsureThere: 0, unsureAbsent: 0 };
  const visible = (await Promise.all(folderIds.map((parentId) => listAll(drive, "entries.list", { parentId })))).flat();
  const trashed = await listAll(drive, "entries.trashed", {});
  const claimed = new Set<string>();
  for (const file of expectations.files) {
    const found = locate(file, visible, trashed);
    if (found.entry !== undefined) claimed.add(found.entry.id);
    checkPlace(file, found, expectations);
    if (file.unsure.length > 0 && file.acked.length === 0) findings[found.presence === "gone" ? "unsureAbsent" : "unsureThere"] += 1;
    if (found.presence !== "visible") await checkInvisible(drive, file, expectations);
  }
  for (const stranger of [...visible, ...trashed].filter((entry) => entry.kind === "file" && !claimed.has(entry.id)))
    expectations.violate(`there is a file that nobody made: ${stranger.name} (${stranger.id})`);

  for (const entry of trashed) await drive.mutate("entries.restore", { ids: [entry.id] });
  for (const file of expectations.files) {
    const found = locate(file, visible, trashed);
    const mustExist = file.presence.sure === "visible" || file.presence.sure === "trashed";
    await checkVersions(drive, file, found.entry, mustExist, expectations, findings);
  }
  return findings;
}

function locate(file: ExpectedFile, visible: Entry[], trashed: Entry[]): { presence: Presence; entry: Entry | undefined } {
  const isIt = (entry: Entry): boolean => (file.entryId === undefined ? file.name.possible.has(entry.name) : entry.id === file.entryId);
  const seen = visible.find(isIt);
  if (seen !== undefined) return { presence: "visible", entry: seen };
  const put = trashed.find(isIt);
  return { presence: put === undefined ? "gone" : "trashed", entry: put };
}

function checkPlace(file: ExpectedFile, { presence, entry }: ReturnType<typeof locate>, expectations: Expectations): void {
  const names = [...file.name.possible].join(" or ");
  if (!file.presence.possible.has(presence))
    expectations.violate(`${names} is ${presence}, and was acknowledged as ${[...file.presence.possible].join(" or ")}`);
  if (presence !== "visible" || entry === undefined) return;
  if (!file.name.possible.has(entry.name)) expectations.violate(`${names} is called ${entry.name}`);
  if (!file.folder.possible.has(entry.parentId)) expectations.violate(`${names} is in another folder (${entry.parentId})`);
}

async function checkInvisible(drive: ChaosDrive, { entryId, name }: ExpectedFile, expectations: Expectations): Promise<void> {
  if (entryId === undefined) return;
  const answer = await drive.send("GET", `/api/files/${entryId}/content`);
  if (isLost(answer) || answer.status !== 404)
    expectations.violate(`${[...name.possible].join(" or ")} was deleted, and reading it answers ${answer.status}`);
}

/** Every version that was acknowledged is among those that can be read, and each of those is one that was sent. */
async function checkVersions(
  drive: ChaosDrive,
  file: ExpectedFile,
  entry: Entry | undefined,
  mustExist: boolean,
  expectations: Expectations,
  findings: FileFindings,
): Promise<void> {
  if (entry === undefined && !mustExist) return;
  const missing = [...file.acked];
  findings.versionsAcked += missing.length;
  const versions = entry === undefined ? [] : await readVersions(drive, entry.id);
  for (const { id } of versions) {
    const content = await readVersion(drive, entry!.id, id, [...missing, ...file.unsure], expectations);
    if (content === undefined) continue;
    const index = missing.indexOf(content);
    if (index !== -1) missing.splice(index, 1);
    else if (file.acked.length > 0) findings.unsureThere += 1;
  }
  if (entry !== undefined) await checkCurrent(drive, file, entry.id, expectations);
  for (const { sha256, length } of missing) {
    findings.versionsLost += 1;
    findings.bytesLost += length;
    expectations.violate(`an acknowledged version of ${[...file.name.possible].join(" or ")} is lost: ${length} bytes, SHA-256 ${sha256}`);
  }
}

async function checkCurrent(drive: ChaosDrive, file: ExpectedFile, entryId: string, expectations: Expectations): Promise<void> {
  await readAs(drive, `/api/files/${entryId}/content`, [...file.content.possible], expectations);
}

async function readVersion(
  drive: ChaosDrive,
  entryId: string,
  version: string,
  candidates: Content[],
  expectations: Expectations,
): Promise<Content | undefined> {
  return await readAs(drive, `/api/files/${entryId}/content?version=${version}`, candidates, expectations);
}

async function readAs(drive: ChaosDrive, path: string, candidates: Content[], expectations: Expectations): Promise<Content | undefined> {
  const answer = await drive.send("GET", path);
  if (isLost(answer) || answer.status !== 200) {
    expectations.violate(
      `after all is quiet, GET ${path} answers ${isLost(answer) ? answer.why : `${answer.status}: ${answer.body.toString()}`}`,
    );
    return undefined;
  }
  const check = new ContentCheck(candidates);
  check.feed(answer.body);
  expectations.bytesVerified += answer.body.length;
  const content = check.candidates.find(({ length }) => length === answer.body.length);
  if (content !== undefined) return content;
  expectations.wrongBytes += answer.body.length;
  expectations.violate(`after all is quiet, GET ${path} gives ${answer.body.length} bytes that nobody sent`);
  return undefined;
}

async function readVersions(drive: ChaosDrive, id: string): Promise<VersionRow[]> {
  return (valueOf(await drive.query("entries.details", { id })) as { versions: VersionRow[] }).versions;
}

async function listAll(drive: ChaosDrive, procedure: string, input: object): Promise<Entry[]> {
  const entries: Entry[] = [];
  let cursor: string | undefined;
  do {
    const page = valueOf(await drive.query(procedure, { ...input, limit: PAGE, ...(cursor !== undefined && { cursor }) })) as {
      items: Entry[];
      nextCursor?: string;
    };
    entries.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return entries;
}

/** Nothing is broken any more when this is called: an answer that does not come is the end of the run. */
function valueOf(result: CallResult): unknown {
  if (result.status === "done") return result.value;
  throw new Error(`the Drive does not answer although all faults have ended: ${JSON.stringify(result)}`);
}
