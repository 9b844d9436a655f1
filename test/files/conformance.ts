import { afterEach, beforeEach, describe } from "vitest";
import type { FileSystem } from "../../src/files/file-system.js";
import { describeAgainstDisk } from "./conformance/against-disk.js";
import { describeAttributes } from "./conformance/attributes.js";
import { describeDirectories } from "./conformance/directories.js";
import { Drive, type Subject } from "./conformance/drive.js";
import { describeLinks } from "./conformance/links.js";
import { describeNames } from "./conformance/names.js";
import { describeOpening } from "./conformance/opening.js";
import { describeReading } from "./conformance/reading.js";
import { describeRenaming } from "./conformance/renaming.js";
import { describeWriting } from "./conformance/writing.js";

/** A file system for one test. */
export interface ConformanceSubject {
  /** Empty, with a umask of 0o022, and what uses it may do everything. */
  readonly fileSystem: FileSystem;
  /** Where `fileSystem` cannot be changed: the same tree, to be filled through. */
  readonly writable?: FileSystem;
  dispose?(): Promise<void>;
}

/**
 * Tests that a file system keeps the contract of `FileSystem`, as Linux keeps POSIX.
 *
 * @param capabilities what of it is there: `read-only` leaves out all that changes something, `atomic` that a file which is
 *   emptied stays the same file
 */
export function describeFileSystem(
  name: string,
  create: () => Promise<ConformanceSubject>,
  capabilities: "all" | "read-only" | "atomic" = "all",
): void {
  describe(name, () => {
    let created: ConformanceSubject;
    let subject: Subject;
    const drive = () => subject.drive;

    beforeEach(async () => {
      created = await create();
      subject = { drive: new Drive(created.fileSystem), setUp: new Drive(created.writable ?? created.fileSystem) };
    });

    afterEach(async () => {
      await subject.drive[Symbol.asyncDispose]();
      await subject.setUp[Symbol.asyncDispose]();
      await created.dispose?.();
    });

    describeReading(() => subject);
    if (capabilities === "read-only") return;
    describeOpening(drive);
    describeWriting(drive, capabilities === "atomic");
    describeDirectories(drive);
    describeLinks(drive, capabilities === "atomic");
    describeRenaming(drive);
    describeAttributes(drive);
    describeNames(drive);
    if (capabilities !== "atomic") describeAgainstDisk(create);
  });
}
