import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { builtFile } from "../support/build.js";

const execute = promisify(execFile);

describe("input that is read by `data`", () => {
  // A process begins with 1 MiB, has 16 or more after a while, and one that was idle lets its heap grow by no more than a tenth.
  it.each([1, 16, 64])("is collected with young objects, every 4 MiB, where they have %i MiB", async (size) => {
    const program = builtFile("test/connection/input-collections-process.ts");
    const flags = [`--min-semi-space-size=${size}`, "--heap-growing-percent=10"];
    const { stdout } = await execute(process.execPath, [...flags, program]);
    const { read, young, whole } = JSON.parse(stdout);
    expect(read).toBe(512 * 1024 * 1024);
    expect(young).toBeGreaterThan(120);
    expect(young).toBeLessThan(150);
    expect(whole).toBeLessThan(4);
  });
});
