import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { loadBesideThis, packageFolder } from "./own-place.js";

interface NodeGypBuild {
  /** @throws {Error} where there is no file */
  path(folder: string): string;
}

/**
 * The file of the package's own addon that was built for this platform, if there is one: in `prebuilds/`, by the rules of
 * `node-gyp-build`.
 */
export function findOwnAddon(): string | undefined {
  try {
    const { path } = loadBesideThis("node-gyp-build") as NodeGypBuild;
    const file = path(packageFolder());
    // What a bundle takes for the folder of the package may be that of a program with an addon of its own.
    return basename(file).startsWith("spindlex.") ? file : undefined;
  } catch {
    return undefined;
  }
}

/** @throws {Error} where the file is not an addon that this Node.js can load */
export function loadAddon(file: string): unknown {
  if (isCutShort(file)) throw new Error("file is cut short");
  return loadBesideThis(file);
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
