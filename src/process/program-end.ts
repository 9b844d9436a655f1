import { constants } from "node:os";
import type { ProgramEnd } from "../session/program-end.js";
import type { SessionChannel } from "../session/session-channel.js";
import { signalToName } from "./signals.js";

/** The end of a process, as SSH tells it. */
export function programEnd(code: number | null, signal: NodeJS.Signals | null): ProgramEnd {
  if (signal === null) return { status: code ?? 0 };
  const name = signalToName(signal);
  // For a signal that SSH has no name for, the status with which shells report it.
  return name === undefined ? { status: 128 + constants.signals[signal] } : { signal: name };
}

/** Tells the client how a program has ended, and closes the channel behind all output. */
export function reportProgramEnd(channel: SessionChannel, end: ProgramEnd): void {
  if (channel.signal.aborted) return;
  if ("status" in end) channel.sendExitStatus(end.status);
  else channel.sendExitSignal(end.signal, { coreDumped: end.coreDumped ?? false });
  channel.close();
}
