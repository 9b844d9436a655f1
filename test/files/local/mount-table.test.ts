import { readFileSync, realpathSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mountPointsIn } from "../../../src/files/local/mount-table.js";

describe.skipIf(process.platform !== "linux")("mountPointsIn", () => {
  it("names what is mounted in a directory", () => {
    expect(mountPointsIn("/")).toContain("proc");
    expect(mountPointsIn("/").has("")).toBe(true); // the root itself, which no directory has as an entry
    expect(mountPointsIn(realpathSync("/proc/self/fd"))).toEqual(new Set());
  });

  it("names each mount point once", () => {
    const lines = readFileSync("/proc/self/mountinfo", "utf8").trimEnd().split("\n");
    const paths = lines.map((line) => line.split(" ")[4] ?? "").filter((path) => !path.includes("\\"));
    for (const path of paths) {
      const slash = path.lastIndexOf("/");
      expect(mountPointsIn(path.slice(0, slash) || "/")).toContain(path.slice(slash + 1));
    }
  });
});
