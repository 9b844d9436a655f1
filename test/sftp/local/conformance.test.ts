import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalFileSystem } from "../../../src/sftp/local/local-file-system.js";
import { describeFileSystem } from "../conformance.js";

process.umask(0o022);

describeFileSystem("LocalFileSystem on Linux", () => create());
describeFileSystem("LocalFileSystem elsewhere", () => createAs("darwin"));

async function create() {
  const folder = mkdtempSync(join(tmpdir(), "spindlex-local-"));
  return {
    fileSystem: new LocalFileSystem(folder),
    dispose: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A file system as made on another platform; what it calls is still this one. */
async function createAs(platform: NodeJS.Platform) {
  const original = process.platform;
  Object.defineProperty(process, "platform", { value: platform });
  try {
    return await create();
  } finally {
    Object.defineProperty(process, "platform", { value: original });
  }
}
