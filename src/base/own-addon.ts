import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const load = createRequire(import.meta.url);

/** Of the package: this file is two folders below it, in `src/` as in `dist/`. */
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface NodeGypBuild {
  /** @throws {Error} where there is no file */
  path(folder: string): string;
}

/**
 * The file of the package's own addon that was built for this platform, if there is one: in `prebuilds/`, by the rules of
 * `node-gyp-build`.
 */
export function findOwnAddon(): string | undefined {
  const { path } = load("node-gyp-build") as NodeGypBuild;
  try {
    return path(ROOT);
  } catch {
    return undefined;
  }
}

/** @throws {Error} where the file is not an addon that this Node.js can load */
export function loadAddon(file: string): unknown {
  if (isCutShort(file)) throw new Error("file is cut short");
  return load(file);
}

/** The first bytes of an ELF file of 64 bits, little-endian, and where its header tells of the table of sections (elf(5)). */
const ELF_64 = "\x7fELF\x02\x01";
const HEADER_LENGTH = 64;
const TABLE_OFFSET = 0x28;
const ENTRY_LENGTH = 0x3a;
const ENTRY_COUNT = 0x3c;

/** The loader of Linux ends the process where a part of the file is missing. The table of sections is at its end. */
function isCutShort(file: string): boolean {
  const content = readFileSync(file);
  if (content.length < HEADER_LENGTH || content.toString("latin1", 0, ELF_64.length) !== ELF_64) return false;
  const tableLength = content.readUInt16LE(ENTRY_LENGTH) * content.readUInt16LE(ENTRY_COUNT);
  return Number(content.readBigUInt64LE(TABLE_OFFSET)) + tableLength > content.length;
}
