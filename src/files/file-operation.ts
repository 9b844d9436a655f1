/**
 * What a client can do to a file or directory by its path, as the option `access` is asked about it:
 *
 * - `list`: see what is in a directory, names and attributes
 * - `stat`: see attributes of one file, the text of a link, free room
 * - `read`: open an existing file to read
 * - `create`: make a file that is not there, and write it through the handle that has made it
 * - `overwrite`: write into a file that is there, empty it, give it another size, or put another file in its place
 * - `append`: write to the end of a file that is there, by a handle that can do nothing else
 * - `delete`: remove a file or a link; `removeDirectory` is for an empty directory
 * - `rename`: asked about both names
 * - `makeDirectory`, `symlink`: make one
 * - `hardlink`: make a second name for a file; asked about both names
 * - `attributes`: change permissions, owner or times, also of a file that is open
 */
export const FILE_OPERATIONS = [
  "list",
  "stat",
  "read",
  "create",
  "overwrite",
  "append",
  "delete",
  "rename",
  "makeDirectory",
  "removeDirectory",
  "symlink",
  "hardlink",
  "attributes",
] as const;

/** What rules allow or deny to be done to a path. */
export type FileOperation = (typeof FILE_OPERATIONS)[number];
