import { describe, expect, it } from "vitest";
import type { FileAttributes } from "../../../src/files/file-system.js";
import { OwnerNames } from "../../../src/sftp/server/owner-names.js";

const attributes: FileAttributes = { type: "file", size: 0, permissions: 0o644, accessTime: 0, modifyTime: 0 };

describe("OwnerNames", () => {
  it("are numbers where the file system knows none", async () => {
    const names = new OwnerNames({});
    expect(await names.of({ ...attributes, uid: 5, gid: 6 })).toEqual({ user: "5", group: "6" });
    expect(await names.of(attributes)).toEqual({ user: "0", group: "0" });
    expect(await names.users([1, 2])).toEqual([]);
  });

  it("come from the file system, sync or async, and are asked for once", async () => {
    const asked: string[] = [];
    const names = new OwnerNames({
      userNames: (ids) => {
        asked.push(`users ${ids}`);
        return ids.map((id) => (id === 1 ? "one" : undefined));
      },
      groupNames: async (ids) => {
        asked.push(`groups ${ids}`);
        return ids.map(() => "staff");
      },
    });
    for (let round = 0; round < 2; round++) {
      expect(await names.of({ ...attributes, uid: 1, gid: 1 })).toEqual({ user: "one", group: "staff" });
      expect(await names.of({ ...attributes, uid: 2, gid: 1 })).toEqual({ user: "2", group: "staff" });
    }
    expect(asked).toEqual(["users 1", "groups 1", "users 2"]);
  });

  it("keep a limited number in memory", async () => {
    let asked = 0;
    const names = new OwnerNames({
      userNames: (ids) => {
        asked++;
        return ids.map((id) => `user ${id}`);
      },
    });
    for (let uid = 0; uid < 3_000; uid++) await names.of({ ...attributes, uid });
    expect(asked).toBe(3_000);
    expect(await names.of({ ...attributes, uid: 2_999 })).toEqual({ user: "user 2999", group: "0" });
    expect(asked).toBe(3_001);
    await names.of({ ...attributes, uid: 0 });
    expect(asked).toBe(3_001);
  });
});
