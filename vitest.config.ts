import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { RunReport } from "./test/support/run-report.js";
import { SkipSummary } from "./test/support/skip-summary.js";

/** Folders whose test files share processes: a process for each would cost more than most of the files do. */
const TOGETHER =
  "addresses|attack|auth|authenticators|base|cli|cluster|connection|crypto|docs|endpoint|examples|files|forwarding|interop|middleware|process|protocol|scp|server|session|sftp|support|transport";
const ALONE_NEVERTHELESS = [
  // They load other test files, and share ledgers.
  "test/cluster/one-process-tests.test.ts",
  // They put timers of their own in the place of those of Node.js.
  "test/auth/{authentication,authentication-dialogue,failure-delay}.test.ts",
  "test/connection/pending-answer.test.ts",
  // They measure memory, or what a module keeps for the whole process.
  "test/attack/{asked-clients,auth-key-answers,auth-order,compression,compression-bombs,flood,ignored-messages,rekey,stalled}.test.ts",
  "test/connection/channel-memory.test.ts",
  // Ink looks at the environment when it is loaded.
  "test/docs/terminal-apps.test.ts",
  "test/interop/forwarding/many-connections.test.ts",
  "test/process/unread-output.test.ts",
  "test/server/many-connections.test.ts",
  "test/server/systemd/sockets.test.ts",
];

/**
 * What `npm run test:core` leaves to the whole suite, to try each version of Node.js in a minute: other clients than the
 * `ssh`, `sftp` and `scp` of the examples, and what takes long for reasons that no version of Node.js changes.
 */
const BEYOND_THE_CORE = [
  "test/{cli,docs,fuzz,interop}/**/*.test.ts",
  "test/examples/!(exec-server|sftp-server).test.ts",
  // Of the attacks, those on messages of channels are enough.
  "test/attack/!(channel-messages).test.ts",
  // Numbers, bytes and texts: nothing of Node.js but Buffer.
  "test/{addresses,protocol}/**/*.test.ts",
  "test/crypto/compression/*.test.ts",
  "test/crypto/kex/{client,registry,sntrup761*}.test.ts",
  "test/files/path*.test.ts",
  "test/forwarding/{forwarding-permissions,listen-options,open-fields,places}.test.ts",
  "test/forwarding/tcp/{allow-targets,bind-addresses,lookup-queue,special-addresses}.test.ts",
  "test/forwarding/{agent,x11}/*.test.ts",
  "test/rooms.test.ts",
  "test/package/*.test.ts",
  // Files of keys, compared with what other programs say of them.
  "test/crypto/{certificates,revocation}/*.test.ts",
  "test/crypto/kex/key-derivation.test.ts",
  "test/crypto/key-formats/{openssh-private-key,pem-key,public-line}.test.ts",
  "test/crypto/pkey/*certificate*.test.ts",
  // Files and passwords, which use few interfaces of Node.js, and those are tried by the rest.
  "test/{authenticators,scp}/**/*.test.ts",
  "test/files/{memory,wrappers}/*.test.ts",
  "test/files/local/!(local-file-system).test.ts",
  "test/sftp/server/requests/*.test.ts",
  // Options of every wrong kind, and every cipher between the two roles of the transport.
  "test/base/public-options.test.ts",
  "test/transport/{both-roles,client-role,packet-reader}.test.ts",
  // The parts of programs and sessions, each of which other tests of the core go through.
  "test/{base/time-slices,middleware/logging,server/connection-log,server/declared-files}.test.ts",
  "test/server/host-keys/host-key-file.test.ts",
  "test/session/terminal/terminal-sessions.test.ts",
  // What stty makes of the modes of a client.
  "test/process/terminal/terminal-settings.test.ts",
  // The C of the addon, which is that of no version of Node.js.
  "test/crypto/cipher/native/sanitized.test.ts",
  // Crowds, memory, and deadlines of seconds.
  "test/connection/channel-memory.test.ts",
  "test/process/unread-output.test.ts",
  "test/server/{many-connections,packet-path,server-connection,session-limits,ssh-server-manager,admission/*}.test.ts",
  "test/session/{client-gone,middleware,session-end,session-program,session-results}.test.ts",
  "test/support/*.test.ts",
];

/** What is left whole to `npm run test:long`: it brings compilers and runners of tests from the npm registry. */
const BEYOND_THE_GATE = ["test/package/matrix.test.ts"];

export default defineConfig(({ mode }) => {
  const isLong = mode === "long";
  // Where .ci/run wants the results for its summary.
  const reportPath = process.env.TEST_REPORT;
  const beyond = isLong ? [] : mode === "core" ? [...BEYOND_THE_GATE, ...BEYOND_THE_CORE] : BEYOND_THE_GATE;
  const settings = {
    setupFiles: ["test/support/buffer-equality.ts"],
    // `npm run test:long`: see test/support/extent.ts.
    env: isLong ? { TEST_LONG: "1" } : {},
    testTimeout: isLong ? 300_000 : 30_000,
    hookTimeout: 60_000,
    // The gate runs on busy machines, and its summary names what passed at the second try.
    retry: reportPath ? 1 : 0,
    // One more than there are processors: many tests wait for clients and deadlines.
    maxWorkers: availableParallelism() + 1,
  };
  /**
   * What the runs of one test keep for the next is kept by these names, among others: as they come with Node.js, each
   * version would begin anew.
   */
  const kept = { mode: "test", environments: { ssr: { resolve: { builtins: [/^node:/] } } } };
  const alone = ["test/*.test.ts", `test/!(${TOGETHER})/**/*.test.ts`, ...ALONE_NEVERTHELESS];
  const together = [`test/@(${TOGETHER})/**/*.test.ts`];
  const notTogether = [...ALONE_NEVERTHELESS, ...beyond];
  return {
    test: {
      globalSetup: ["test/support/run-folder.ts", "test/support/build.ts"],
      reporters: ["default", new SkipSummary(), ...(reportPath ? [new RunReport(reportPath)] : [])],
      experimental: { fsModuleCache: true },
      projects: [
        { ...kept, test: { ...settings, name: "alone", include: alone, exclude: beyond } },
        { ...kept, test: { ...settings, name: "together", include: together, exclude: notTogether, isolate: false } },
      ],
    },
  };
});
