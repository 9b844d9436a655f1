import { defineConfig } from "vitest/config";

/** `npm run fuzz:record`: runs what real clients are tested with, and keeps what they send as the fuzzer's corpus. */
export default defineConfig({
  test: {
    include: [
      "test/interop/login.test.ts",
      "test/interop/exec.test.ts",
      "test/interop/openssh-session.test.ts",
      "test/interop/sftp/*.test.ts",
      "test/fuzz/record/*.record.ts",
    ],
    exclude: ["**/large.test.ts", "**/agrees-with-openssh.test.ts"],
    globalSetup: ["test/support/build.ts", "test/support/run-folder.ts"],
    setupFiles: ["test/fuzz/record/tap.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
  },
});
