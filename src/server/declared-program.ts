import type { FilesOptions } from "../files/file-server-options.js";
import type { ProbeCommand } from "../probes/probe-command.js";
import type { SCPCommand } from "../scp/scp-command.js";
import type { SessionChannel } from "../session/session-channel.js";
import type { SessionRequest } from "../session/session-request.js";

/** A program that a declaration has allowed, and the way to run it. */
export type DeclaredProgram =
  | { readonly kind: "session"; readonly request: SessionRequest }
  | { readonly kind: "sftp"; readonly request: SessionRequest; readonly files: FilesOptions }
  | {
      readonly kind: "scp";
      readonly request: SessionRequest;
      readonly files: FilesOptions;
      readonly command: SCPCommand;
    }
  | {
      readonly kind: "probe";
      readonly request: SessionRequest;
      readonly files: FilesOptions;
      readonly command: ProbeCommand;
    };

const programs = new WeakMap<SessionChannel, DeclaredProgram>();

/** Leaves a program for the server to run, once the hook that has called this has allowed it. */
export function declareProgram(channel: SessionChannel, program: DeclaredProgram): true {
  programs.set(channel, program);
  return true;
}

/** The reason why there are none. */
interface NoFiles {
  /** Of a folder that cannot be served; without it, the declaration has given nothing. */
  readonly problem: string | undefined;
}

const withoutFiles = new WeakMap<SessionChannel, NoFiles>();

/** Notes that a user has asked for files on a channel, and that the declaration has none for this user. */
export function noteNoFiles(channel: SessionChannel, problem?: string): false {
  withoutFiles.set(channel, { problem });
  return false;
}

/** The reason, where that was just so. */
export function takeNoFiles(channel: SessionChannel): NoFiles | undefined {
  const noFiles = withoutFiles.get(channel);
  withoutFiles.delete(channel);
  return noFiles;
}

/** The program that was declared on a channel, to be run once. */
export function takeProgram(channel: SessionChannel): DeclaredProgram | undefined {
  const program = programs.get(channel);
  programs.delete(channel);
  return program;
}
