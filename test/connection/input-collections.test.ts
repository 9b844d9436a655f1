import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { builtFile } from "../support/build.js";

const execute = promisify(execFile);

describe("input that is read by `data`", () => {
  // A process begins with 1 MiB, and has 16 or more after a while.
  it.each([1, 16, 64])("is collected with young objects, every 16 MiB, where they have %i MiB", async (size) => {
    const program = builtFile("test/connection/input-collections-process.ts");
    const { stdout } = await execute(process.execPath, [`--min-semi-space-size=${size}`, program]);
    const { read, young, whole } = JSON.parse(stdout);
    expect(read).toBe(512 * 1024 * 1024);
    expect(young).toBeGreaterThan(26);
    expect(young).toBeLessThan(48);
    expect(whole).toBeLessThan(4);
  });
});
