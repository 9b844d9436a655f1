import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/** The sockets of TCP on this machine, as Linux tells. */
const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];

/** More than Linux gives at a time. */
const PART_LENGTH = 64 * 1024;

/** The ports of all sockets on this machine, those of connections among them. */
export function portsInUse(): ReadonlySet<number> {
  return new Set(TABLES.flatMap((table) => readFileSync(table, "latin1").split("\n").slice(1, -1).map(portOf)));
}

/** The addresses that somebody listens on at a port. */
export function listenersAt(port: number): readonly string[] {
  return TABLES.flatMap(listenersIn)
    .filter((line) => portOf(line) === port)
    .map(addressOf)
    .sort();
}

/** The lines of those who listen, which come first: to look for the others takes Linux some milliseconds. */
function listenersIn(table: string): string[] {
  const file = openSync(table, "r");
  try {
    const part = Buffer.alloc(PART_LENGTH);
    let text = "";
    for (;;) {
      const read = readSync(file, part);
      text += part.toString("latin1", 0, read);
      const lines = text.split("\n").slice(1, -1);
      const others = lines.findIndex((line) => fieldsOf(line)[3] !== LISTEN);
      if (others !== -1 || read === 0) return lines.slice(0, others === -1 ? undefined : others);
    }
  } finally {
    closeSync(file);
  }
}

const fieldsOf = (line: string): readonly string[] => line.trim().split(/\s+/);

const localOf = (line: string): readonly string[] => (fieldsOf(line)[1] ?? "").split(":");

const portOf = (line: string): number => Number.parseInt(localOf(line)[1] ?? "", 16);

const addressOf = (line: string): string => readAddress(localOf(line)[0] ?? "");

const LISTEN = "0A";

/** An address is words of four bytes, each in the order of the processor, which is little-endian. */
function readAddress(hexadecimal: string): string {
  const bytes = Buffer.from(hexadecimal, "hex").swap32();
  if (bytes.length === 4) return bytes.join(".");
  const last = bytes.readUInt8(15);
  if (bytes.subarray(0, 15).every((byte) => byte === 0) && last < 2) return last === 0 ? "::" : "::1";
  return bytes.toString("hex");
}
