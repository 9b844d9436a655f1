import { readFileSync } from "node:fs";

interface LocalSocket {
  readonly address: string;
  readonly port: number;
  readonly state: "listening" | "other";
}

/** The sockets of TCP on this machine, as Linux tells. */
export function localSockets(): readonly LocalSocket[] {
  return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) =>
    readFileSync(file, "latin1")
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => {
        const [, local = "", , state] = line.trim().split(/\s+/);
        const [address = "", port = ""] = local.split(":");
        return {
          address: readAddress(address),
          port: Number.parseInt(port, 16),
          state: state === LISTEN ? "listening" : "other",
        };
      }),
  );
}

/** The addresses that somebody listens on at a port. */
export function listenersAt(port: number): readonly string[] {
  return localSockets()
    .filter((socket) => socket.port === port && socket.state === "listening")
    .map(({ address }) => address)
    .sort();
}

const LISTEN = "0A";

/** An address is words of four bytes, each in the order of the processor, which is little-endian. */
function readAddress(hexadecimal: string): string {
  const bytes = Buffer.from(hexadecimal, "hex").swap32();
  if (bytes.length === 4) return bytes.join(".");
  const last = bytes.readUInt8(15);
  if (bytes.subarray(0, 15).every((byte) => byte === 0) && last < 2) return last === 0 ? "::" : "::1";
  return bytes.toString("hex");
}
