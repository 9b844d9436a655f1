import { ConfigurationError, programEnvironment, runOn, runProgram } from "../../../src/index.js";
import type { SessionChannel } from "../../../src/session/session-channel.js";
import { notFunction, nothing, notNumber, notObject, notText, type OptionSubject } from "./values.js";

/** The channel of a client that is gone: nothing is run on it. */
const channel = {
  signal: AbortSignal.abort(),
  environment: new Map(),
  connection: { permissions: { environment: {} } },
  on: () => channel,
} as unknown as SessionChannel;

const account = { name: "ann", home: "/home/ann", shell: "/bin/sh" };
const { signal } = new AbortController();
const notSignal = ["text", 5, true, {}, [], nothing];
const notId = [...notNumber, 0.5, 2 ** 32 - 1];

async function untilGone(run: Promise<unknown>): Promise<void> {
  await run.catch((error: unknown) => {
    if (error !== channel.signal.reason) throw error;
  });
}

/** Gets beyond the options, and finds that there is no program. */
async function untilChild(run: Promise<unknown>): Promise<void> {
  await run.catch((error: unknown) => {
    if (!(error instanceof ConfigurationError) || error.option !== "child") throw error;
  });
}

export const PROGRAM_SUBJECTS: readonly OptionSubject[] = [
  {
    name: "runProgram",
    call: (options) => untilGone(runProgram(channel, ["true"], options)),
    valid: {
      cwd: "/",
      env: { LANG: "C.UTF-8" },
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      account,
      signal,
      started: nothing,
    },
    wrong: {
      cwd: [...notText, "a\0b"],
      env: notObject,
      uid: notId,
      gid: notId,
      account: notObject,
      signal: notSignal,
      started: notFunction,
    },
    notUndefined: ["uid", "gid"],
  },
  {
    name: "runOn",
    call: (options) => untilChild(runOn(channel, {} as never, options)),
    optional: true,
    valid: { signal },
    wrong: { signal: notSignal },
  },
  {
    name: "programEnvironment",
    call: (options) => programEnvironment(channel, options),
    optional: true,
    valid: { account, env: { LANG: "C.UTF-8" } },
    wrong: { account: notObject, env: notObject },
  },
];
