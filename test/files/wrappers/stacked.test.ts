import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileSystem } from "../../../src/files/file-system.js";
import { LocalFileSystem } from "../../../src/files/local/local-file-system.js";
import { MemoryFileSystem } from "../../../src/files/memory/memory-file-system.js";
import { atomicUploads } from "../../../src/files/wrappers/atomic-uploads.js";
import { audit } from "../../../src/files/wrappers/audit.js";
import { mount } from "../../../src/files/wrappers/mount.js";
import { quota } from "../../../src/files/wrappers/quota.js";
import { isLong } from "../../support/extent.js";
import { describeFileSystem } from "../conformance.js";
import { subtree } from "./subtree.js";

/** What can stand on each other, from the innermost to the outermost. */
const WRAPPERS: readonly (readonly [name: string, wrap: (files: FileSystem) => FileSystem])[] = [
  ["quota", (files) => quota(files, { bytes: 2 ** 40 })],
  [
    "mount",
    (files) =>
      subtree(mount({ "/": new MemoryFileSystem(), "/a/files": files, "/b": new MemoryFileSystem() }), "/a/files"),
  ],
  ["atomicUploads", (files) => atomicUploads(files, { user: "ann", fsync: true })],
  ["audit", (files) => audit(files, { user: "ann", record: () => {} })],
];

/** In the long run all sets of them. */
const STACKS = isLong ? Array.from({ length: 2 ** WRAPPERS.length }, (_, set) => set) : [2 ** WRAPPERS.length - 1];

process.umask(0o022);

for (const set of STACKS) {
  const wrappers = WRAPPERS.filter((_, index) => (set >> index) % 2 === 1);
  const names = wrappers.map(([name]) => name);
  const stack = (files: FileSystem) => wrappers.reduce((inner, [, wrap]) => wrap(inner), files);
  const capabilities = names.includes("atomicUploads") ? "atomic" : "all";

  const onDisk = async () => {
    const folder = mkdtempSync(join(tmpdir(), "spindlex-stacked-"));
    return {
      fileSystem: stack(new LocalFileSystem(folder)),
      dispose: async () => rmSync(folder, { recursive: true, force: true }),
    };
  };
  describeFileSystem(`a disk under ${names.join(", ") || "nothing"}`, onDisk, capabilities);
}
