import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { toFileError } from "../../../src/files/errors.js";
import type { FileSystem } from "../../../src/files/file-system.js";
import { joinPath } from "../../../src/files/path.js";
import { extent } from "../../support/extent.js";
import { Drive } from "./drive.js";
import { ReferenceDisk } from "./reference-disk.js";
import { comparable, type State, type Step, steps } from "./steps.js";

/** Compares random runs with what the kernel's own file system does in the same place. */
export function describeAgainstDisk(
  create: () => Promise<{ fileSystem: FileSystem; dispose?(): Promise<void> }>,
): void {
  it.runIf(process.platform === "linux")("does in random runs what a disk does", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { size: "max", maxLength: 80 }), async (run) => {
        const directory = await mkdtemp(join(tmpdir(), "spindlex-reference-"));
        const subject = await create();
        const ours: State = { drive: new Drive(subject.fileSystem), files: [] };
        const reference: State = { drive: new Drive(new ReferenceDisk(directory)), files: [] };
        try {
          for (const taken of run) expect(await outcome(taken, ours)).toEqual(await outcome(taken, reference));
          expect(await everything(ours.drive)).toEqual(await everything(reference.drive));
        } finally {
          await ours.drive[Symbol.asyncDispose]();
          await reference.drive[Symbol.asyncDispose]();
          await subject.dispose?.();
          await rm(directory, { recursive: true });
        }
      }),
      { numRuns: extent(20, 40) },
    );
  });
}

async function outcome(taken: Step, state: State): Promise<unknown> {
  try {
    return { value: await taken(state) };
  } catch (error) {
    const { code, message } = toFileError(error);
    return { code, message };
  }
}

/** All files by their paths, with what is in them. */
async function everything(drive: Drive, directory = "/"): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const { name, attributes } of await drive.entries(directory)) {
    const path = joinPath(directory, name);
    found[path] = comparable(attributes);
    if (attributes.type === "directory") Object.assign(found, await everything(drive, path));
    if (attributes.type === "symlink") found[`${path} leads to`] = await drive.readlink(path);
    if (attributes.type === "file") found[`${path} contains`] = await drive.read(path);
  }
  return found;
}
