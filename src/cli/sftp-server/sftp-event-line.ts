import type { AttributeChanges, AuditEvent, OpenOptions } from "../../sftp/index.js";

/** The mode of a file whose client asks for none, before the umask. */
const NEW_FILE_PERMISSIONS = 0o666;

/** An action of a client, as one line for the log of `spindlex sftp-server`. */
export function formatSFTPEvent(event: AuditEvent): string {
  const line = `${event.operation} ${formatDetails(event)}`;
  if (event.result === "OK") return line;
  if (event.operation !== "close" || event.outcome.result === "completed") return `${line}: ${event.result}`;
  return `${line}: ${event.result}, ${event.outcome.reason}`;
}

function formatDetails(event: AuditEvent): string {
  const path = quote(event.path);
  switch (event.operation) {
    case "open":
      return [path, ...formatOptions(event.options)].join(" ");
    case "close":
      return `${path} bytes read ${event.bytesRead} written ${event.bytesWritten}`;
    case "setstat":
      return [path, ...formatChanges(event.changes)].join(" ");
    case "readdir":
      return `${path} entries ${event.entries}`;
    case "mkdir":
      return `${path} mode ${formatMode(event.permissions)}`;
    case "remove":
    case "rmdir":
      return path;
    case "rename":
    case "posixRename":
    case "hardlink":
      return `${path} to ${quote(event.newPath)}`;
    case "symlink":
      return `${path} to ${quote(event.target)}`;
  }
}

function formatOptions(options: OpenOptions): string[] {
  const names = ["read", "write", "append", "create", "truncate", "exclusive"] as const;
  const flags = names.filter((name) => options[name]).map((name) => name.toUpperCase());
  const mode = options.create ? [`mode ${formatMode(options.permissions ?? NEW_FILE_PERMISSIONS)}`] : [];
  return [`flags ${flags.join(",")}`, ...mode];
}

function formatChanges({ size, owner, permissions, times }: AttributeChanges): string[] {
  return [
    ...(size === undefined ? [] : [`size ${size}`]),
    ...(owner === undefined ? [] : [`owner ${owner.uid} group ${owner.gid}`]),
    ...(permissions === undefined ? [] : [`mode ${formatMode(permissions)}`]),
    ...(times === undefined ? [] : [`modified ${new Date(times.modifyTime * 1000).toISOString()}`]),
  ];
}

function formatMode(permissions: number): string {
  return permissions.toString(8).padStart(4, "0");
}

/** A path between quotes, so that it can be told from the words beside it. */
function quote(path: string): string {
  return `"${path.replaceAll(/["\\]/g, "\\$&")}"`;
}
