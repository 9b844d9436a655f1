import { describe, expect, it } from "vitest";
import { formatSFTPEvent } from "../../../src/cli/sftp-server/sftp-event-line.js";
import { COMPLETED } from "../../../src/files/file-outcome.js";
import type { AuditedOperation } from "../../../src/files/wrappers/audit-event.js";

const OPTIONS = { read: false, write: false, append: false, create: false, truncate: false, exclusive: false };
const line = (operation: AuditedOperation) =>
  formatSFTPEvent({ time: new Date(), duration: 1, result: "OK", ...operation });

describe("formatSFTPEvent", () => {
  it.each<[AuditedOperation, string]>([
    [{ operation: "open", path: "/a b", file: 1, options: { ...OPTIONS, read: true } }, 'open "/a b" flags READ'],
    [
      {
        operation: "open",
        path: "/a",
        file: 1,
        options: { ...OPTIONS, write: true, create: true, truncate: true, permissions: 0o64 },
      },
      'open "/a" flags WRITE,CREATE,TRUNCATE mode 0064',
    ],
    [
      { operation: "open", path: "/a", file: 1, options: { ...OPTIONS, write: true, create: true } },
      'open "/a" flags WRITE,CREATE mode 0666',
    ],
    [
      { operation: "close", path: "/a", file: 1, kind: "upload", bytesRead: 0, bytesWritten: 12, outcome: COMPLETED },
      'close "/a" bytes read 0 written 12',
    ],
    [
      {
        operation: "setstat",
        path: "/a",
        changes: {
          size: 3,
          owner: { uid: 1, gid: 2 },
          permissions: 0o4755,
          times: { accessTime: 0, modifyTime: 1_000_000_000 },
        },
      },
      'setstat "/a" size 3 owner 1 group 2 mode 4755 modified 2001-09-09T01:46:40.000Z',
    ],
    [{ operation: "readdir", path: "/", entries: 3 }, 'readdir "/" entries 3'],
    [{ operation: "mkdir", path: "/d", permissions: 0o755 }, 'mkdir "/d" mode 0755'],
    [{ operation: "rmdir", path: "/d" }, 'rmdir "/d"'],
    [{ operation: "remove", path: '/a" "b\\' }, 'remove "/a\\" \\"b\\\\"'],
    [{ operation: "posixRename", path: "/a", newPath: "/b" }, 'posixRename "/a" to "/b"'],
    [{ operation: "symlink", path: "/l", target: "../t" }, 'symlink "/l" to "../t"'],
  ])("of %j", (operation, expected) => {
    expect(line(operation)).toBe(expected);
  });

  it("tells what failed, and how", () => {
    const event = {
      time: new Date(),
      duration: 1,
      operation: "remove",
      path: "/a",
      result: "EACCES",
    } as const;
    expect(formatSFTPEvent(event)).toBe('remove "/a": EACCES');
  });

  it("has every time that a client may send", () => {
    for (const modifyTime of [0, 2 ** 32 - 1]) {
      const changes = { times: { accessTime: 0, modifyTime } };
      expect(line({ operation: "setstat", path: "/a", changes })).toMatch(/modified \d{4}-/);
    }
  });
});
