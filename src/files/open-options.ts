import type { OpenOptions } from "./file-system.js";

/** An existing file, to be read. */
export const FOR_READING: OpenOptions = {
  read: true,
  write: false,
  append: false,
  create: false,
  truncate: false,
  exclusive: false,
};

/** An existing file, to be written. */
export const FOR_WRITING: OpenOptions = { ...FOR_READING, read: false, write: true };

/** A new file, or one that is emptied, to be written. */
export const FOR_REPLACING: OpenOptions = { ...FOR_WRITING, create: true, truncate: true };
