import { decodeName, encodeName } from "../files/path.js";
import { FatalError } from "./errors.js";

// The lines that scp sends ahead of each thing: `C0644 5 name` a file, `D0755 0 name` a directory, `E` its end,
// `T<modified> 0 <accessed> 0` the times of what comes next.

/** A file of `size` bytes, or a directory, that comes next. */
export interface EntryRecord {
  readonly kind: "file" | "directory";
  /** 0 to 0o7777. */
  readonly permissions: number;
  /** Bytes. */
  readonly size: number;
  /** One name: not empty, not `.` or `..`, without slash and NUL. */
  readonly name: string;
}

/** Whole seconds since 1970. */
export interface Times {
  readonly modifyTime: number;
  readonly accessTime: number;
}

export type ControlRecord = EntryRecord | ({ readonly kind: "times" } & Times) | { readonly kind: "end" };

/** Whether a byte can be the first of a record. */
export function isRecordLetter(byte: number): boolean {
  return "CDET".includes(String.fromCharCode(byte));
}

/**
 * @param line without its newline
 * @throws {FatalError} when it is not a record
 */
export function parseControlRecord(line: Buffer): ControlRecord {
  const text = decodeName(line);
  switch (text.charAt(0)) {
    case "C":
    case "D":
      return parseEntry(text);
    case "T":
      return parseTimes(text);
    case "E":
      if (text === "E") return { kind: "end" };
  }
  throw new FatalError("protocol error: expected control record");
}

/** A client gets the line, newline included. A newline in the name is written as OpenSSH does it. */
export function formatEntry({ kind, permissions, size, name }: EntryRecord): Buffer {
  const letter = kind === "file" ? "C" : "D";
  const mode = permissions.toString(8).padStart(4, "0");
  return encodeName(`${letter}${mode} ${size} ${name.replaceAll("\n", "\\^J")}\n`);
}

export function formatTimes({ modifyTime, accessTime }: Times): Buffer {
  // There is no way to write a time before 1970.
  const seconds = (time: number) => Math.max(0, Math.floor(time));
  return Buffer.from(`T${seconds(modifyTime)} 0 ${seconds(accessTime)} 0\n`);
}

function parseEntry(text: string): EntryRecord {
  const [, letter, mode = "", digits = "", name = ""] = /^([CD])([0-7]{4}) ([0-9]+) (.*)$/s.exec(text) ?? [];
  if (letter === undefined) throw new FatalError("protocol error: mode or size not understood");
  const size = Number(digits);
  if (!Number.isSafeInteger(size)) throw new FatalError("protocol error: size out of range");
  if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) {
    throw new FatalError("error: unexpected filename");
  }
  return { kind: letter === "C" ? "file" : "directory", permissions: Number.parseInt(mode, 8), size, name };
}

function parseTimes(text: string): ControlRecord {
  const [, modifyTime, accessTime] = /^T([0-9]{1,12}) [0-9]{1,6} ([0-9]{1,12}) [0-9]{1,6}$/.exec(text) ?? [];
  if (modifyTime === undefined) throw new FatalError("protocol error: times not understood");
  return { kind: "times", modifyTime: Number(modifyTime), accessTime: Number(accessTime) };
}
