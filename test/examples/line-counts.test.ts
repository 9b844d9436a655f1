import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

/** Lines that a program may need for what it does: a framework that needs more is in the way. */
const LIMITS = {
  "hello.ts": 8,
  "exec-server.ts": 12,
  "sftp-server.ts": 10,
  "drop-box.ts": 20,
  "homes.ts": 30,
  "shell-server.ts": 10,
  "ink-app.ts": 20,
  "bastion.ts": 25,
  "git-server.ts": 35,
  "virtual-files.ts": 60,
  "object-store.ts": 70,
};

/** Those that are neither blank nor a comment, of a formatted program. */
function countedLines(program: string): number {
  const code = program.replaceAll(/\/\*.*?\*\//gs, "");
  return code.split("\n").filter((line) => line.trim() !== "" && !line.trim().startsWith("//")).length;
}

it.each(Object.entries(LIMITS))("%s has %i lines at most", (file, limit) => {
  const program = readFileSync(join("examples", file), "utf8");
  expect(countedLines(program)).toBeLessThanOrEqual(limit);
  for (const line of program.split("\n")) expect(line.length).toBeLessThanOrEqual(120);
});
