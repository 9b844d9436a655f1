import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { SkipSummary } from "./test/support/skip-summary.js";

export default defineConfig(({ mode }) => ({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/support/build.ts",
    setupFiles: ["test/support/buffer-equality.ts"],
    reporters: ["default", new SkipSummary()],
    // `npm run test:long`: see test/support/extent.ts.
    env: mode === "long" ? { TEST_LONG: "1" } : {},
    testTimeout: mode === "long" ? 300_000 : 30_000,
    hookTimeout: 60_000,
    // Two at least: most tests wait for clients and deadlines rather than for a processor.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
}));
