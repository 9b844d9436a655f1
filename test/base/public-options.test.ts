import { describe, expect, it } from "vitest";
import * as authenticators from "../../src/authenticators/index.js";
import * as crypto from "../../src/crypto/index.js";
import * as spindlex from "../../src/index.js";
import { ConfigurationError } from "../../src/index.js";
import * as sftp from "../../src/sftp/index.js";
import { audit, type FileSystem, mount, quota, readOnly } from "../../src/sftp/index.js";
import { AUTHENTICATOR_SUBJECTS } from "./option-subjects/authenticators.js";
import { CHANNEL_SUBJECTS } from "./option-subjects/channels.js";
import { FILE_SUBJECTS, FILES, NOT_FILE_SYSTEMS } from "./option-subjects/files.js";
import { KEY_SUBJECTS } from "./option-subjects/keys.js";
import { PROGRAM_SUBJECTS } from "./option-subjects/programs.js";
import { SERVER_SUBJECTS } from "./option-subjects/server.js";
import { TARGET_SUBJECTS } from "./option-subjects/targets.js";
import type { OptionSubject } from "./option-subjects/values.js";

const OPTION_SUBJECTS = [
  ...FILE_SUBJECTS,
  ...SERVER_SUBJECTS,
  ...AUTHENTICATOR_SUBJECTS,
  ...KEY_SUBJECTS,
  ...CHANNEL_SUBJECTS,
  ...PROGRAM_SUBJECTS,
  ...TARGET_SUBJECTS,
];

/** What is exported and takes no options. */
const WITHOUT_OPTIONS = [
  "AgentError",
  "AnswerTimeoutError",
  "ChannelOpenError",
  "CommandLineError",
  "ConfigurationError",
  "ExitError",
  "FileError",
  "KeyError",
  "LineError",
  "LinkInPathError",
  "LocalFileSystem",
  "NoHomeError",
  "PromptAbortedError",
  "ProgramStartError",
  "ProtocolError",
  "RevocationList",
  "SFTPError",
  "Session",
  "SessionEndedError",
  "UserFileError",
  "WorkerCrashLoopError",
  "WorkerStartError",
  "anyOf",
  "encodeForwardedStreamlocal",
  "encodeForwardedTcpip",
  "hashPassword",
  "isolatedStdio",
  "isPublicAddress",
  "loggedPath",
  "loggedText",
  "logLine",
  "logging",
  "mount",
  "parseNetworks",
  "parseProbeCommand",
  "parseSCPCommand",
  "readOnly",
  "packetsSealedBy",
  "requireMethods",
  "systemdSockets",
];

/** The error that a call with these options is refused with; `undefined` for a call that gets beyond its options. */
async function refusal(subject: OptionSubject, options: unknown): Promise<ConfigurationError | undefined> {
  try {
    await subject.call(options as never);
    return undefined;
  } catch (error) {
    // Of keys, where nothing is wrong with the options.
    if (error instanceof crypto.KeyError) return undefined;
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
}

async function blamed(subject: OptionSubject, options: unknown): Promise<string | undefined> {
  return (await refusal(subject, options))?.option;
}

/** Options that are right but for one of them. */
function withValue({ valid, instead }: OptionSubject, name: string, value: unknown): object {
  const options: Record<string, unknown> = { ...valid };
  delete options[instead?.[name] ?? name];
  options[name] = value;
  return options;
}

/** The same options in the prototype of an object, as those of a class with accessors are. */
function asInstance(valid: object): object {
  class Options {}
  for (const [name, value] of Object.entries(valid)) {
    Object.defineProperty(Options.prototype, name, { get: () => value });
  }
  return new Options();
}

describe("the options of", () => {
  it("everything that is exported are known to these tests", () => {
    const known = new Set([...OPTION_SUBJECTS.map(({ name }) => name.replace(/\..*/, "")), ...WITHOUT_OPTIONS]);
    const exported = Object.entries({ ...spindlex, ...crypto, ...sftp, ...authenticators }).filter(
      ([, value]) => typeof value === "function",
    );
    expect(exported.map(([name]) => name).filter((name) => !known.has(name))).toEqual([]);
  });
});

describe("a file system that is wrapped", () => {
  it("is one", () => {
    for (const wrong of [undefined, null, ...NOT_FILE_SYSTEMS]) {
      const fileSystem = wrong as FileSystem;
      const refused = (option: string) => expect.objectContaining({ name: "ConfigurationError", option });
      expect(() => audit(fileSystem, { record: () => undefined })).toThrow(refused("fileSystem"));
      expect(() => quota(fileSystem, { bytes: 1 })).toThrow(refused("fileSystem"));
      expect(() => readOnly(fileSystem)).toThrow(refused("fileSystem"));
      expect(() => mount({ "/docs": fileSystem })).toThrow(ConfigurationError);
    }
    for (const wrong of [undefined, null, "/srv", 5, [FILES]]) {
      expect(() => mount(wrong as never)).toThrow(ConfigurationError);
    }
  });

  it("may have its methods from a class, accessors or a proxy", () => {
    class Wrapper {
      lstat() {}
      get readdir() {
        return () => [];
      }
    }
    for (const fileSystem of [new Wrapper(), new Proxy(new Wrapper(), {})] as unknown as FileSystem[]) {
      expect(Object.keys(readOnly(fileSystem))).toEqual(["lstat", "readdir"]);
    }
  });
});

describe.each(OPTION_SUBJECTS.map((subject) => [`${subject.name} ${subject.within ?? ""}`, subject] as const))(
  "the options of %s",
  (_, subject) => {
    const { within, valid, wrong, required = [], notUndefined = [], shorthands = [] } = subject;
    const names = Object.keys(wrong);
    const fullName = (name: string) => (within === undefined ? name : `${within}.${name}`);

    it("may be right, also those of a class", async () => {
      for (const right of [valid, asInstance(valid), ...shorthands, ...(subject.optional ? [undefined] : [])]) {
        expect(await refusal(subject, right)).toBeUndefined();
      }
    });

    it("are an object", async () => {
      const others = [null, "text", 5, true, () => undefined, [], ["text"], ...(subject.optional ? [] : [undefined])];
      for (const other of others.filter((value) => !shorthands.some((right) => typeof right === typeof value))) {
        expect([other, await blamed(subject, other)]).toEqual([other, within ?? "options"]);
      }
    });

    it.each(names)("have no other name than %s", async (name) => {
      const misspelled = `${name}${name.slice(-1)}`;
      for (const value of [valid[name], undefined, null]) {
        const error = await refusal(subject, { ...valid, [misspelled]: value });
        expect(error?.option).toBe(fullName(misspelled));
        const listed = names.length === 1 ? name : "";
        expect(error?.message).toContain(`is not an option (did you mean ${name}?); there are ${listed}`);
      }
    });

    it.each(names)("name %s where it is of a wrong kind", async (name) => {
      for (const value of [null, ...(wrong[name] ?? [])]) {
        const option = await blamed(subject, withValue(subject, name, value));
        expect([value, option?.replace(/(?<=^\w+)(\[.*|\.ann$)/, "")]).toEqual([value, fullName(name)]);
      }
    });

    it("have one that would allow more left out, and not undefined", async () => {
      for (const name of notUndefined) {
        const error = await refusal(subject, withValue(subject, name, undefined));
        expect([error?.option, error?.message]).toEqual([
          fullName(name),
          expect.stringContaining("must not be undefined"),
        ]);
      }
    });

    if (required.length === 0) return;
    it("say what is missing", async () => {
      for (const name of required) {
        const option = await blamed(subject, withValue(subject, name, undefined));
        const alternatives = Object.entries(subject.instead ?? {}).flatMap(([other, one]) =>
          one === name ? other : [],
        );
        expect([name, ...alternatives].map(fullName)).toContain(option);
      }
    });
  },
);
