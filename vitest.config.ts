import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { SkipSummary } from "./test/support/skip-summary.js";

/** Folders whose test files share processes: a process for each would cost more than most of the files do. */
const TOGETHER = "auth|authenticators|connection|crypto|protocol|scp|server|session|sftp|support|transport";
const ALONE_NEVERTHELESS = [
  // They put timers of their own in the place of those of Node.js.
  "test/auth/{authentication,authentication-dialogue,failure-delay}.test.ts",
  // They measure memory, or what a module keeps for the whole process.
  "test/connection/channel-memory.test.ts",
  "test/transport/send-blocks.test.ts",
];

export default defineConfig(({ mode }) => {
  const isLong = mode === "long";
  const settings = {
    setupFiles: ["test/support/buffer-equality.ts"],
    // `npm run test:long`: see test/support/extent.ts.
    env: isLong ? { TEST_LONG: "1" } : {},
    testTimeout: isLong ? 300_000 : 30_000,
    hookTimeout: 60_000,
    // Two at least: most tests wait for clients and deadlines rather than for a processor.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  };
  const alone = ["test/*.test.ts", `test/!(${TOGETHER})/**/*.test.ts`, ...ALONE_NEVERTHELESS];
  const together = [`test/@(${TOGETHER})/**/*.test.ts`];
  return {
    test: {
      globalSetup: "test/support/build.ts",
      reporters: ["default", new SkipSummary()],
      projects: [
        { test: { ...settings, name: "alone", include: alone } },
        { test: { ...settings, name: "together", include: together, exclude: ALONE_NEVERTHELESS, isolate: false } },
      ],
    },
  };
});
