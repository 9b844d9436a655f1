import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeFileSystem } from "../conformance.js";
import { localFileSystemOn } from "./fixture.js";

process.umask(0o022);

describeFileSystem("LocalFileSystem on Linux", () => create("linux"));
describeFileSystem("LocalFileSystem elsewhere", () => create("darwin"));

async function create(platform: NodeJS.Platform) {
  const folder = mkdtempSync(join(tmpdir(), "spindlex-local-"));
  return {
    fileSystem: localFileSystemOn(platform, folder),
    dispose: async () => rmSync(folder, { recursive: true, force: true }),
  };
}
