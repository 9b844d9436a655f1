import { MessageNumber as M } from "../../../../src/protocol/constants.js";
import * as messages from "../../../support/packet-messages.js";
import { encodeFields, type Field, Raw } from "../../../support/sftp-packets.js";
import { cut, message, NO, NOT_UTF8, TWO, YES } from "./bytes.js";
import type { OddInput, Stage } from "./odd-input.js";
import type { Peer } from "./peer.js";
import { sending } from "./sending.js";
import { PROGRAMS } from "./stages.js";

const wanted = (id: number, name: string, ...fields: readonly Field[]): Buffer =>
  messages.channelRequest(id, name, "want-reply", encodeFields(...fields));

/** A request on a session where nothing was asked yet. */
function request(name: string, kind: string, ...fields: readonly Field[]): OddInput {
  return sending("session", name, ({ id }) => [wanted(id, kind, ...fields)]);
}

/** A request that starts a program where it is taken. */
function program(name: string, kind: string, ...fields: readonly Field[]): OddInput {
  return { ...request(name, kind, ...fields), next: "logged-in", closes: true };
}

/** A request beside a program. */
function beside(name: string, kind: string, ...fields: readonly Field[]): OddInput {
  return { ...request(name, kind, ...fields), stage: "echo" };
}

function raw(name: string, make: (peer: Peer) => Uint8Array, stage: Stage = "session"): OddInput {
  return sending(stage, name, (peer) => [make(peer)]);
}

const SIZE = [80, 24, 640, 480] as const;
const pty = (term: Field = "xterm", modes: Uint8Array = Buffer.of(0)): Field[] => [term, ...SIZE, modes];
const askForPty = async (peer: Peer): Promise<void> => {
  await peer.ask(wanted(peer.id, "pty-req", ...pty()), M.CHANNEL_SUCCESS);
};

const variables: readonly OddInput[] = [
  request("env with a name that is not UTF-8", "env", NOT_UTF8, "value"),
  request("env with a value that is not UTF-8", "env", "NAME", NOT_UTF8),
  request("env without a name", "env", "", "value"),
  request("env without a value", "env", "NAME", ""),
  request("env with = in the name", "env", "A=B", "value"),
  request("env with NUL in the name", "env", "A\0B", "value"),
  request("env with NUL in the value", "env", "NAME", "a\0b"),
  request("env with a line end in the value", "env", "NAME", "a\nb"),
  request("env with a value of 30,000 bytes", "env", "NAME", "x".repeat(30_000)),
  request("env with bytes behind it", "env", "NAME", "value", "tail"),
  request("env cut short", "env", "NAME"),
  beside("env beside a program", "env", "NAME", "value"),
];

const terminals: readonly OddInput[] = [
  request("pty-req with a TERM that is not UTF-8", "pty-req", ...pty(NOT_UTF8)),
  request("pty-req with NUL in TERM", "pty-req", ...pty("xterm\0x")),
  request("pty-req without a TERM", "pty-req", ...pty("")),
  request("pty-req of 0 by 0", "pty-req", "xterm", 0, 0, 0, 0, Buffer.of(0)),
  request("pty-req of 2^32 - 1 by 2^32 - 1", "pty-req", "xterm", 0xffffffff, 0xffffffff, 0, 0, Buffer.of(0)),
  request("pty-req without modes", "pty-req", ...pty("xterm", Buffer.alloc(0))),
  request("pty-req with unknown modes", "pty-req", ...pty("xterm", Buffer.of(120, 0, 0, 0, 1, 0))),
  request("pty-req with a mode beyond 160", "pty-req", ...pty("xterm", Buffer.of(200, 1, 2, 3, 0))),
  request("pty-req with modes that are cut short", "pty-req", ...pty("xterm", Buffer.of(1, 0, 0))),
  request("pty-req with modes behind their end", "pty-req", ...pty("xterm", Buffer.of(0, 1, 0, 0, 0, 3))),
  request("pty-req with bytes behind it", "pty-req", ...pty(), "tail"),
  request("pty-req cut short", "pty-req", "xterm", 80, 24),
  { ...request("a second pty-req", "pty-req", ...pty()), prepare: askForPty },
  beside("pty-req beside a program", "pty-req", ...pty()),
  request("window-change without a terminal", "window-change", ...SIZE),
  { ...request("window-change of 0 by 0", "window-change", 0, 0, 0, 0), prepare: askForPty },
  { ...request("window-change with bytes behind it", "window-change", ...SIZE, "tail"), prepare: askForPty },
  { ...request("window-change cut short", "window-change", 80, 24), prepare: askForPty },
];

const programs: readonly OddInput[] = [
  program("exec of nothing", "exec", ""),
  program("exec with a command that is not UTF-8", "exec", Buffer.concat([Buffer.from("exit 3; "), NOT_UTF8])),
  program("exec with NUL in the command", "exec", "true\0false"),
  program("exec with bytes behind it", "exec", "true", "tail"),
  program("exec cut short", "exec"),
  beside("a second exec", "exec", PROGRAMS.alive),
  beside("shell beside a program", "shell"),
  beside("a subsystem beside a program", "subsystem", "sftp"),
  program("shell with bytes behind it", "shell", "tail"),
  program("an unknown subsystem", "subsystem", "x"),
  program("a subsystem without a name", "subsystem", ""),
  program("a subsystem whose name is not UTF-8", "subsystem", NOT_UTF8),
  program("a subsystem with bytes behind it", "subsystem", "sftp", "tail"),
  request("an unknown subsystem, and then a program", "subsystem", "x"),
];

const others: readonly OddInput[] = [
  request("signal without a program", "signal", "INT"),
  beside("an unknown signal", "signal", "X"),
  beside("a signal with SIG in front", "signal", "SIGWINCH"),
  beside("a signal whose name is not UTF-8", "signal", NOT_UTF8),
  beside("a signal without a name", "signal", ""),
  beside("a signal with bytes behind it", "signal", "X", "tail"),
  beside("a signal cut short", "signal"),
  request("break without a program", "break", 100),
  beside("break without a terminal", "break", 100),
  beside("break with bytes behind it", "break", 100, "tail"),
  beside("break cut short", "break"),
  request("x11-req without its fields", "x11-req"),
  request("x11-req that is refused", "x11-req", NO, "MIT-MAGIC-COOKIE-1", "00", 0),
  request("x11-req with a protocol that is not UTF-8", "x11-req", NO, NOT_UTF8, "00", 0),
  request("x11-req with bytes behind it", "x11-req", NO, "x", "00", 0, "tail"),
  request("auth-agent-req with bytes behind it", "auth-agent-req@openssh.com", "tail"),
  request("eow without a program", "eow@openssh.com"),
  beside("eow beside a program", "eow@openssh.com"),
  beside("eow with bytes behind it", "eow@openssh.com", "tail"),
  beside("exit-status from the client", "exit-status", 0),
  beside("exit-signal from the client", "exit-signal", "TERM", NO, "", ""),
  beside("xon-xoff from the client", "xon-xoff", YES),
  beside("winadj of PuTTY", "winadj@putty.projects.tartarus.org"),
  request("an unknown request", "x@spindlex", NOT_UTF8),
  raw("an unknown request that wants no reply", ({ id }) => messages.channelRequest(id, "x@spindlex", "no-reply")),
  request("a request without a name", ""),
  raw("a request whose name is not UTF-8", ({ id }) => message(M.CHANNEL_REQUEST, id, NOT_UTF8, YES)),
  raw("a request with a boolean of 2", ({ id }) => message(M.CHANNEL_REQUEST, id, "x@spindlex", TWO)),
  raw("a request cut short", ({ id }) => cut(wanted(id, "x@spindlex"))),
  raw("a request without a channel", () => message(M.CHANNEL_REQUEST, new Raw(Buffer.alloc(0)))),
  raw("a request for a channel that was never open", ({ id }) => wanted(id + 5, "x@spindlex")),
  raw("exec for a channel that was never open", ({ id }) => wanted(id + 5, "exec", "true")),
  raw("a request for channel 2^32 - 1", () => wanted(0xffffffff, "x@spindlex")),
];

export const channelRequestInputs: readonly OddInput[] = [...variables, ...terminals, ...programs, ...others];
