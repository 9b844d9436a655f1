import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { builtFile } from "../support/build.js";

const execute = promisify(execFile);

/** No other C library takes its measure from what is freed. */
const { header } = process.report.getReport() as { readonly header: { readonly glibcVersionRuntime?: string } };

it.runIf(header.glibcVersionRuntime !== undefined)(
  "a process takes large blocks from memory that it keeps",
  async () => {
    const program = builtFile("test/base/keep-freed-memory-process.ts");
    const measured = async () => (await execute(process.execPath, ["--expose-gc", program])).stdout;
    let told = await measured();
    // So it is in one process of a hundred.
    for (let tries = 0; told === "no room" && tries < 10; tries++) told = await measured();
    const [grown = 0, length = 0] = told.split(" of ").map(Number);
    // What is free at the end of the heap is taken first.
    expect(grown).toBeGreaterThan(length / 2);
  },
);
