import type { AuditEvent, FileOperation } from "../../sftp/index.js";

/** What the log calls an operation: as rules do, where they have it. */
export const OPERATION_NAMES: Readonly<Record<AuditEvent["operation"], FileOperation | "open" | "close">> = {
  open: "open",
  close: "close",
  readdir: "list",
  setstat: "attributes",
  mkdir: "makeDirectory",
  rmdir: "removeDirectory",
  remove: "delete",
  rename: "rename",
  posixRename: "rename",
  hardlink: "hardlink",
  symlink: "symlink",
};
