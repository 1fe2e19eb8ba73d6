import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { randomFile } from "@holdfast/cluster/testing";

const odd = [
  "empty.txt",
  "kelp 🪸 forest 🌊.jpg",
  "👩‍👩‍👧‍👦 family/👍🏽.txt",
  "תמונות/קובץ.txt",
  "العقود/عقد ٢٠٢٦.pdf",
  "trailing dot./ends in a dot.",
  "日本語/写真/海.png",
  "Ünïcödé — “quoted” & <b>.html",
  "  spaces  .md",
  ".hidden",
  "no extension",
];

/** Makes a folder as people have them: 200 files of many scripts, sizes and depths. Returns their sizes by path. */
export function makeMixedFolder(directory: string): Map<string, number> {
  const plain = Array.from({ length: 200 - odd.length }, (_, index) => `year ${2000 + (index % 5)}/month ${index % 7}/photo ${index}.jpg`);
  const sizes = new Map([...odd, ...plain].map((path, index) => [path, index * 137]));
  for (const [path, size] of sizes) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), randomFile(path, size).bytes());
  }
  return sizes;
}
